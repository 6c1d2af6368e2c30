#include "io/vcf_record.hpp"

#include "io/hts_internal.hpp"

namespace ssmgen::io {

VcfRecord::VcfRecord() : payload_(std::make_unique<Payload>()) {}
VcfRecord::~VcfRecord() = default;
VcfRecord::VcfRecord(VcfRecord&&) noexcept = default;
VcfRecord& VcfRecord::operator=(VcfRecord&&) noexcept = default;

VcfRecord::Payload& VcfRecord::payload() {
  if (payload_ == nullptr) payload_ = std::make_unique<Payload>();
  return *payload_;
}

}  // namespace ssmgen::io
