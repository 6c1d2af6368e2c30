#include "io/vcf_text.hpp"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <vector>

namespace ssmgen::io {
namespace {

bool holds_key(std::string_view info, std::string_view id) {
  std::size_t at = info.find(id);
  while (at != std::string_view::npos) {
    const std::size_t end = at + id.size();
    if ((at == 0 || info[at - 1] == ';') &&
        (end == info.size() || info[end] == '=' || info[end] == ';')) {
      return true;
    }
    at = info.find(id, at + 1);
  }
  return false;
}

// INFO without the keys in `ids`; "." counts as nothing.
void append_kept_info(std::string_view info, const std::vector<std::string_view>& ids,
                      std::string& out) {
  if (info == ".") return;
  const bool any =
      std::any_of(ids.begin(), ids.end(), [&](std::string_view id) { return holds_key(info, id); });
  if (!any) {
    out += info;
    return;
  }
  const std::size_t start = out.size();
  while (!info.empty()) {
    const std::size_t end = std::min(info.find(';'), info.size());
    const std::string_view item = info.substr(0, end);
    const std::string_view key = item.substr(0, item.find('='));
    if (std::find(ids.begin(), ids.end(), key) == ids.end()) {
      if (out.size() > start) out += ';';
      out += item;
    }
    info.remove_prefix(std::min(end + 1, info.size()));
  }
}

}  // namespace

VcfColumns split_columns(std::string_view line) {
  VcfColumns columns;
  const char* at = line.data();
  const char* const end = at + line.size();
  while (columns.fixed < kFixedColumnCount) {
    const auto* tab =
        static_cast<const char*>(std::memchr(at, '\t', static_cast<std::size_t>(end - at)));
    const char* stop = tab == nullptr ? end : tab;
    columns.column[static_cast<std::size_t>(columns.fixed)] = {at,
                                                               static_cast<std::size_t>(stop - at)};
    ++columns.fixed;
    if (tab == nullptr) {
      columns.total = columns.fixed;
      return columns;
    }
    at = tab + 1;
  }
  columns.total = kFixedColumnCount + count_columns({at, static_cast<std::size_t>(end - at)});
  return columns;
}

std::int64_t parse_position(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool good =
      error == std::errc() && end == text.data() + text.size() && value >= 0 && value < HTS_POS_MAX;
  return good ? value - 1 : -2;
}

void fill_record(const VcfColumns& columns, std::string_view line, VcfRecord& record) {
  record.contig.assign(columns.column[0]);
  record.ref.assign(columns.column[3]);
  const std::string_view alt = columns.column[4];
  std::size_t count = 0;
  if (alt != ".") {
    std::size_t begin = 0;
    while (begin <= alt.size()) {
      const std::size_t end = std::min(alt.find(',', begin), alt.size());
      if (record.alts.size() == count) record.alts.emplace_back();
      record.alts[count++].assign(alt.substr(begin, end - begin));
      begin = end + 1;
    }
  }
  record.alts.resize(count);
  VcfRecord::Payload& payload = record.payload();
  payload.is_bcf = false;
  payload.line.assign(line);
  if (columns.fixed == kFixedColumnCount) {
    const std::string_view info = columns.column[kFixedColumnCount - 1];
    payload.info_begin = static_cast<std::size_t>(info.data() - line.data());
    payload.info_end = payload.info_begin + info.size();
  } else {
    payload.info_begin = std::string::npos;
    payload.info_end = line.size();
  }
}

void append_with_info(const VcfRecord::Payload& payload, std::string_view line,
                      const std::vector<std::string_view>& ids, std::string_view added,
                      std::string& out) {
  const bool has_info = payload.info_begin != std::string::npos;
  const std::string_view info =
      has_info ? line.substr(payload.info_begin, payload.info_end - payload.info_begin)
               : std::string_view();
  out += line.substr(0, has_info ? payload.info_begin : line.size());
  if (!has_info) out += '\t';
  const std::size_t start = out.size();
  append_kept_info(info, ids, out);
  if (!added.empty()) {
    if (out.size() > start) out += ';';
    out += added;
  }
  if (out.size() == start) out += '.';
  out += line.substr(payload.info_end);
  out += '\n';
}

}  // namespace ssmgen::io
