# The peer of estimates.py: R survey on the same people, timed without reading and writing.
# Rscript estimates.R people.csv out.csv towns_a_chunk one|joint [margins.csv]; prints seconds: of the processor, of the clock.
# `one`: a call of svyby a variable, as variables with bases of their own need; `joint`: one call for all of them.
suppressMessages(library(survey))
given <- commandArgs(trailingOnly = TRUE)
people <- read.csv(given[1])
chunks <- split(people, people$town %/% as.integer(given[3]))
shares <- grep("^y", names(people), value = TRUE)
asked <- if (given[4] == "joint") list(shares) else as.list(shares)
margins <- if (length(given) > 4) read.csv(given[5]) else NULL

raked <- function(design) {
  if (is.null(margins)) return(design)
  total <- function(name) setNames(margins[margins$margin == name, c("category", "n")], c(name, "Freq"))
  rake(design, list(~sex, ~age), list(total("sex"), total("age")), control = list(maxit = 200, epsilon = 1e-12))
}
shares_of <- function(chunk) {
  design <- raked(svydesign(~village, strata = ~town, weights = ~w, data = chunk))
  do.call(cbind, lapply(asked, function(y) svyby(reformulate(y), ~town, design, svymean)[-1]))
}

start <- proc.time()
found <- lapply(chunks, shares_of)
took <- proc.time() - start
cat(took["user.self"] + took["sys.self"], took["elapsed"], "\n")
found <- as.matrix(do.call(rbind, found))
is_se <- grepl("^se", colnames(found))
write.table(cbind(format(found[, !is_se], digits = 16), format(found[, is_se], digits = 16)), given[2],
  sep = ",", row.names = FALSE, col.names = FALSE, quote = FALSE)
