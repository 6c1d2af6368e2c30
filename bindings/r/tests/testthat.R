library(testthat)
library(ssmgen)

test_check("ssmgen")
