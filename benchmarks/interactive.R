# The peer of interactive.py: R survey on the same rows, timed without starting, reading and raking.
# Rscript interactive.R people.csv answers.csv turns; prints a line a task: its name, processor seconds (median of the turns).
# Twice: weights raked by calibrate(), whose variance is huying's to the last digits, and weights that are fixed, as R is
# quickest. R gives no intervals either way.
suppressMessages(library(survey))
given <- commandArgs(trailingOnly = TRUE)
people <- read.csv(given[1], na.strings = "", colClasses = c(town = "character", psu = "character"))
turns <- as.integer(given[3])
options(survey.lonely.psu = "certainty", warn = -1)
margins <- grep("^margin", names(people), value = TRUE)
dummies <- do.call(cbind, lapply(margins, function(name) model.matrix(~ factor(people[[name]]) - 1)))
dummies <- dummies[, qr(dummies)$pivot[seq_len(qr(dummies)$rank)]]
colnames(dummies) <- sprintf("d%03d", seq_len(ncol(dummies)))
raked <- calibrate(svydesign(id = ~psu, strata = ~town, weights = ~base, data = cbind(people, dummies), nest = TRUE),
  reformulate(c("0", colnames(dummies))), colSums(people$weight * dummies), calfun = "raking", epsilon = 1e-12, maxit = 300)
fixed <- svydesign(id = ~psu, strata = ~town, weights = ~weight, data = people, nest = TRUE)

tasks <- list(
  share = function(design) svyby(~share, ~town, subset(design, !is.na(share)), svymean, na.rm = TRUE),
  share_two = function(design) svyby(~share, ~town + column, subset(design, !is.na(share) & !is.na(column)), svymean, na.rm = TRUE),
  crosstab = function(design) { both <- subset(design, !is.na(row) & !is.na(column))
    list(svytable(~row + column, both), svyby(~column, ~row, both, svymean, na.rm = TRUE), svychisq(~row + column, both, statistic = "F")) })
seconds <- function(task, design) { start <- proc.time(); task(design); took <- proc.time() - start; took[["user.self"]] + took[["sys.self"]] }
for (name in names(tasks)) cat(name, median(replicate(turns, seconds(tasks[[name]], raked))), "\n")
for (name in names(tasks)) cat(paste0(name, "_fixed"), median(replicate(turns, seconds(tasks[[name]], fixed))), "\n")
share <- tasks$share(raked); crossed <- tasks$crosstab(raked); cells <- crossed[[2]]
rows <- rbind(
  data.frame(task = "share", place = share$town, level = "", estimate = share$share, se = share$se),
  do.call(rbind, lapply(sort(unique(na.omit(people$column))), function(level) data.frame(task = "crosstab", place = cells$row, level = level,
    estimate = cells[[paste0("column", level)]], se = cells[[paste0("se.column", level)]]))),
  data.frame(task = "test", place = "", level = "", estimate = crossed[[3]]$statistic, se = crossed[[3]]$p.value))
write.csv(format(rows, digits = 16), given[2], row.names = FALSE, quote = FALSE)
