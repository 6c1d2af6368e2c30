// htslib 1.16 does not free a BGZF file whose closing fails (bgzf_close returns early), nor the
// last block of a broken one read by threads. The tests that bring such failures about stand in a
// program of their own with this file, so that the leak check stays strict for all others.

extern "C" const char* __lsan_default_suppressions();
extern "C" const char* __lsan_default_suppressions() {
  return "leak:libhts.so\n";
}
