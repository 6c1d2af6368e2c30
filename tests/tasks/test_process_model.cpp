#include <gtest/gtest.h>
#include <ssmgen/process_model.hpp>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/expect_error.hpp"

namespace ssmgen {
namespace {

// What the child finds, as its exit status.
int in_the_child(std::unique_ptr<ProcessModel>& model) {
  int status = 1;
  try {
    model->model();
  } catch (const DeviceError& error) {
    const std::string_view message = error.what();
    status = message.find("load the model in the child") == message.npos ? 2 : 0;
  }
  // The parent's threads are not there to be joined: this must not wait for them.
  model.reset();
  return status;
}

TEST(ProcessModel, IsOfTheProcessThatLoadedIt) {
  auto model = std::make_unique<ProcessModel>(
      Model::load(std::string(SSMGEN_SOURCE_DIR) + "/test_data/golden/caduceus_ps"));
  const std::vector<std::int32_t> ids = model->model().encode("ACGT");
  const std::vector<float> logits = model->model().forward(ids, 1, 4).logits;
  const pid_t child = fork();
  if (child == 0) _exit(in_the_child(model));
  int status = -1;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 0);
  EXPECT_EQ(model->model().forward(ids, 1, 4).logits, logits);
}

}  // namespace
}  // namespace ssmgen
