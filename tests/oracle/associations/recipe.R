# What crosstabs and regressions rest on: Rscript tests/oracle/associations/recipe.R   (half a minute; survey with MASS and numDeriv, jsonlite)
# Draws data/people.csv and data/staff.csv, reads them back, and writes answers.json beside this file. Everything named
# wrong_* is a tempting mistake.
suppressMessages({ library(survey); library(jsonlite) })
suppressWarnings(RNGversion("4.2.0"))
set.seed(20260711)
options(survey.lonely.psu = "fail", stringsAsFactors = FALSE, warn = 1)
arg <- sub("^--file=", "", grep("^--file=", commandArgs(), value = TRUE))
here <- if (length(arg)) dirname(normalizePath(arg[1])) else "tests/oracle/associations"
put <- function(frame, name) { dir.create(file.path(here, "data"), showWarnings = FALSE); write.csv(frame, file.path(here, "data", name), row.names = FALSE, quote = FALSE, na = "") ; read.csv(file.path(here, "data", name), na.strings = "") }
draw <- function(eta) as.integer(runif(length(eta)) < plogis(eta))
lose <- function(x, share) { x[runif(length(x)) < share] <- NA; x }

# --- 1. People: strata = towns, PSUs = villages, unequal weights; staff: a simple sample of each town, finite population -------
answers_of <- function(frame, lean) {
  n <- nrow(frame)
  frame$age_group <- sample(c("18-39", "40-59", "60+"), n, TRUE, c(.35, .4, .25))
  frame$sex <- sample(c("f", "m"), n, TRUE)
  frame$years <- pmax(0, round(rnorm(n, 11 - 3 * (frame$age_group == "60+"), 3)))
  frame$wechat <- lose(draw(.8 - 1.4 * (frame$age_group == "60+")), .03)
  frame$aware <- lose(draw(-1.2 + lean + .1 * frame$years + .5 * (frame$sex == "m") - .6 * (frame$age_group == "60+")), .05)
  channel <- 1 + draw(lean - .3 + .6 * (frame$sex == "m")) + draw(.5 * lean - .8 + .9 * (frame$age_group == "60+"))
  frame$source <- lose(c("nobody", "notice", "meeting")[channel], .06)
  frame$score <- lose(round(50 + 8 * lean + 1.5 * frame$years - 4 * (frame$age_group == "60+") + rnorm(n, 0, 9), 1), .04)
  frame
}
villages <- data.frame(town = rep(sprintf("P%d", 1:7), each = 5), village = sprintf("P%d-%d", rep(1:7, each = 5), 1:5), size = sample(9:17, 35, TRUE), adults = round(runif(35, 200, 2600)))
villages$lean <- rnorm(35, 0, .8)
people <- villages[rep(1:35, villages$size), ]
people <- answers_of(data.frame(town = people$town, village = people$village, w = round(people$adults / people$size * runif(nrow(people), .7, 1.4), 4)), people$lean)
listed <- sample(30:60, 9, TRUE); asked <- round(listed * runif(9, .45, .8))
staff <- data.frame(town = rep(sprintf("Q%d", 1:9), asked), listed = rep(listed, asked), w = rep(round(listed / asked, 6), asked))
staff$person <- sprintf("%s-%02d", staff$town, unlist(lapply(asked, seq_len)))
staff <- answers_of(staff, rep(rnorm(9, 0, .5), asked))

# Raked weights: to town x sex and town x age group, whose totals are bent from those of the base weights.
sexes <- sort(unique(people$sex)); ages <- sort(unique(people$age_group))
bent <- function(part) { counts <- tapply(people$w, list(people$town, people[[part]]), sum)
  moved <- counts * runif(length(counts), .8, 1.25); moved / rowSums(moved) * rowSums(counts) }
targets <- list(sex = bent("sex"), age_group = bent("age_group"))
columns <- cbind(model.matrix(~ interaction(town, sex) - 1, people), model.matrix(~ town:I(1 * (age_group == ages[2])) - 1, people), model.matrix(~ town:I(1 * (age_group == ages[3])) - 1, people))
colnames(columns) <- sprintf("m%02d", seq_len(ncol(columns)))
rake_to <- c(as.vector(targets$sex), targets$age_group[, 2], targets$age_group[, 3])
rakeable <- function(data) svydesign(id = ~village, strata = ~town, weights = ~w, data = cbind(data, columns), nest = TRUE)
calibrated <- function(data) calibrate(rakeable(data), reformulate(c("0", colnames(columns))), setNames(rake_to, colnames(columns)), calfun = "raking", epsilon = 1e-13, maxit = 300)
people$w_raked <- sprintf("%.17g", weights(calibrated(people)))
levels_of <- list(age_group = ages, sex = sexes, source = c("meeting", "nobody", "notice"))
as_factors <- function(data) { for (name in names(levels_of)) data[[name]] <- factor(data[[name]], levels_of[[name]]); data }
people <- as_factors(put(people, "people.csv")); staff <- as_factors(put(staff, "staff.csv"))

designs <- list(
  people = svydesign(id = ~village, strata = ~town, weights = ~w, data = people, nest = TRUE),
  staff = svydesign(id = ~person, strata = ~town, weights = ~w, fpc = ~listed, data = staff),
  raked = calibrated(people))
stopifnot(max(abs(weights(designs$raked) / people$w_raked - 1)) < 1e-12)
num <- function(x) suppressWarnings(as.numeric(sprintf("%.15g", x)))

# --- 2. Independence: svychisq, second order as F; beside it the first order, and no correction at all --------------------------
independence <- function(name, rows, columns, women = FALSE) {
  design <- designs[[name]]
  if (women) design <- subset(design, sex == "f")
  formula <- reformulate(c(rows, columns))
  answered <- !is.na(design$variables[[rows]]) & !is.na(design$variables[[columns]]) & is.finite(1 / design$prob) & 1 / design$prob > 0
  # R counts those without an answer in its n, which moves X2, not F; where the design is calibrated they stay in it
  both <- subset(design, !is.na(get(rows)) & !is.na(get(columns)))
  second <- svychisq(formula, both, statistic = "F"); first <- svychisq(formula, both, statistic = "Chisq")
  counts <- svytable(formula, design, Ntotal = sum(answered))
  plain <- suppressWarnings(chisq.test(counts, correct = FALSE))
  data.frame(design = name, rows = rows, columns = columns, women = women, n = sum(answered), X2 = num(plain$statistic),
    F = num(second$statistic), ndf = num(second$parameter[["ndf"]]), ddf = num(second$parameter[["ddf"]]), p = num(second$p.value),
    wrong_p_first_order = num(first$p.value), wrong_p_uncorrected = num(plain$p.value), wrong_X2_all_rows = num(svychisq(formula, design, statistic = "Chisq")$statistic)) }
pairs <- list(c("aware", "age_group"), c("source", "sex"), c("source", "age_group"), c("aware", "source"))
answers <- list(independence = do.call(rbind, c(
  unlist(lapply(names(designs), function(d) lapply(pairs, function(p) independence(d, p[1], p[2]))), recursive = FALSE),
  lapply(c("people", "staff"), function(d) independence(d, "source", "age_group", women = TRUE)))))

# --- 3. Regressions: svyglm; beside each the error of weighted rows, and of no design at all -----------------------------------
formulas <- list(binomial = c("aware ~ age_group + sex + years", "aware ~ age_group * wechat + years", "wechat ~ years + source + age_group"),
  gaussian = c("score ~ age_group + sex + years", "score ~ years * sex + wechat", "aware ~ age_group + sex + years"))
# svyglm's error rests on the weights of the last step but one: a fit that starts at its own answer has them exactly
fit <- function(design, family, formula) { made <- function(start) svyglm(as.formula(formula), design, family = if (family == "binomial") quasibinomial() else gaussian(), start = start, control = glm.control(epsilon = 1e-13, maxit = 60))
  made(coef(made(NULL))) }
rows_of <- function(g) setNames(as.data.frame(coef(summary(g, df.resid = g$df.residual))), c("coefficient", "se", "t", "p"))
regression <- function(name, family, formula) {
  g <- fit(designs[[name]], family, formula); table <- rows_of(g); limits <- confint(g, ddf = g$df.residual)
  data <- designs[[name]]$variables; data$.w <- weights(designs[[name]])
  plain <- glm(as.formula(formula), data = data, weights = .w / mean(.w), family = if (family == "binomial") quasibinomial() else gaussian())
  bare <- glm(as.formula(formula), data = data, family = family)
  data.frame(design = name, family = family, formula = formula, term = sub("(Intercept)", "Intercept", names(coef(g)), fixed = TRUE), coefficient = num(table$coefficient), se = num(table$se),
    t = num(table$t), p = num(table$p), low = num(limits[, 1]), high = num(limits[, 2]), df = g$df.residual, n = length(g$y),
    wrong_se_weighted_rows = num(coef(summary(plain))[, 2]), wrong_coefficient_unweighted = num(coef(bare))) }
answers$regressions <- do.call(rbind, unlist(lapply(names(designs), function(d) unlist(lapply(names(formulas), function(f) lapply(formulas[[f]], function(s) regression(d, f, s))), recursive = FALSE)), recursive = FALSE))

# --- 4. Average marginal effects -------------------------------------------------------------------------------------------------
# The estimate: the weighted mean of each person's change in probability, all else as it is. Its error: svytotal of the
# linearised values, whose derivative by the coefficients is numDeriv's (Richardson); beside it the error that takes the
# people as given, and a jackknife of the whole (JKn) as a rough arbiter.
change_of <- function(terms, data, variable, low, high, beta) {
  if (is.na(high)) {   # a slope: the logistic curve's density times the change of the linear part
    one_more <- data; one_more[[variable]] <- one_more[[variable]] + 1; x <- model.matrix(terms, data)
    return(as.vector(dlogis(x %*% beta) * ((model.matrix(terms, one_more) - x) %*% beta))) }
  both <- lapply(c(high, low), function(v) { moved <- data; moved[[variable]] <- if (is.factor(data[[variable]])) factor(v, levels_of[[variable]]) else v; plogis(model.matrix(terms, moved) %*% beta) })
  as.vector(both[[1]] - both[[2]]) }
effect <- function(name, formula, variable, low, high) {
  design <- designs[[name]]; g <- fit(design, "binomial", formula)
  used <- complete.cases(design$variables[all.vars(as.formula(formula))]); data <- design$variables[used, ]; w <- weights(design)[used]
  terms <- delete.response(terms(g)); x <- model.matrix(g); p <- fitted(g); beta <- coef(g)
  mean_of <- function(b) sum(w * change_of(terms, data, variable, low, high, b)) / sum(w)
  value <- mean_of(beta); turn <- as.vector(numDeriv::jacobian(mean_of, beta))
  coefficients <- (x * (g$y - p)) %*% solve(crossprod(x * sqrt(w * p * (1 - p))))
  z <- numeric(nrow(design$variables)); z[used] <- (change_of(terms, data, variable, low, high, beta) - value) / sum(w) + coefficients %*% turn
  jackknife <- NA
  if (name != "raked") { reps <- as.svrepdesign(design, type = "JKn")
    jackknife <- as.numeric(SE(withReplicates(reps, function(rw, d) { keep <- used & rw > 0
      b <- suppressWarnings(coef(glm(as.formula(formula), quasibinomial(), data = transform(d, .rw = rw)[keep, ], weights = .rw)))
      weighted.mean(change_of(terms, d[keep, ], variable, low, high, b), rw[keep]) }))) }
  total <- svytotal(z, design)
  data.frame(design = name, formula = formula, variable = variable, level = if (is.na(high)) "" else as.character(high), effect = num(value), se = num(SE(total)),
    wrong_se_people_given = num(sqrt(turn %*% vcov(g) %*% turn)), se_jackknife = num(jackknife)) }
asked_for <- list(list("aware ~ age_group + sex + years", "age_group", ages[1], ages[3]), list("aware ~ age_group + sex + years", "sex", "f", "m"), list("aware ~ age_group + sex + years", "years", 0, NA),
  list("aware ~ age_group * wechat + years", "age_group", ages[1], ages[2]), list("aware ~ age_group * wechat + years", "wechat", 0, 1), list("wechat ~ years + source + age_group", "source", "meeting", "notice"))
answers$effects <- do.call(rbind, unlist(lapply(names(designs), function(d) lapply(asked_for, function(e) do.call(effect, c(list(d), e)))), recursive = FALSE))

# survey's own predictive margins give the same difference (its error leaves out a covariance, and is not used)
mine <- answers$effects[answers$effects$design == "people" & answers$effects$variable == "age_group" & answers$effects$level == "60+", "effect"]
complete <- complete.cases(people[c("aware", "age_group", "sex", "years")])
own <- svypredmeans(svyglm(aware ~ sex + years, subset(designs$people, complete), family = quasibinomial(), control = glm.control(epsilon = 1e-13, maxit = 60)), ~age_group)
stopifnot(abs(coef(own)[["60+"]] - coef(own)[["18-39"]] - mine) < 1e-9)

answers$meta <- list(R = R.version.string, survey = as.character(packageVersion("survey")), jsonlite = as.character(packageVersion("jsonlite")), MASS = as.character(packageVersion("MASS")), numDeriv = as.character(packageVersion("numDeriv")))
writeLines(toJSON(answers, digits = NA, auto_unbox = TRUE, pretty = TRUE, na = "null"), file.path(here, "answers.json"))
