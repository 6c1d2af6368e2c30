# Mean masked score of the demo's variants by their effect on the protein (INFO/KIND).
BEGIN { FS = "\t" }
/^#/ { next }
{
  kind = value = ""
  count = split($8, fields, ";")
  for (i = 1; i <= count; i++) {
    if (fields[i] ~ /^KIND=/) kind = substr(fields[i], 6)
    if (fields[i] ~ /^SSM_MASKED=/) value = substr(fields[i], 12)
  }
  if (value == "" || value == ".") next
  sum[kind] += value
  number[kind]++
}
END {
  print "== mean SSM_MASKED by effect (lower: less expected by the model)"
  order = split("syn mis stop mnv", kinds, " ")
  for (i = 1; i <= order; i++) {
    kind = kinds[i]
    if (number[kind]) printf "%-5s %4d variants %8.3f\n", kind, number[kind], sum[kind] / number[kind]
  }
}
