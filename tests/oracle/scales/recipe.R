# Oracles of huying.scales: Rscript tests/oracle/scales/recipe.R   (about a minute; psych, survey, jsonlite)
# Writes data/*.csv and answers.json beside this file; every answer is computed from the csv as it is read back.
# Everything named wrong_* is a tempting mistake, kept so that a test can refuse it.
suppressMessages({library(survey); library(psych); library(jsonlite)})
options(survey.lonely.psu = "fail", stringsAsFactors = FALSE, warn = 1)
suppressWarnings(RNGversion("4.2.0"))
set.seed(20260404)
arg  <- sub("^--file=", "", grep("^--file=", commandArgs(), value = TRUE))
here <- if (length(arg)) dirname(normalizePath(arg[1])) else "tests/oracle/scales"
dir.create(file.path(here, "data"), showWarnings = FALSE, recursive = TRUE)
put <- function(df, name) {
  path <- file.path(here, "data", paste0(name, ".csv"))
  write.csv(df, path, row.names = FALSE, quote = FALSE, na = "")
  read.csv(path)
}

# --- data: nobody real -----------------------------------------------------------------------------------------------
# people: 6 towns, 4 or 5 villages each, 8 to 13 persons a village; five ratings of one thing, five checks, weights that go
# with the answers (who weighs much answers less consistently)
town <- rep(1:6, times = c(4, 5, 4, 5, 4, 5))
village <- sprintf("v%d%d", town, sequence(c(4, 5, 4, 5, 4, 5)))
people <- do.call(rbind, lapply(seq_along(village), function(i) {
  n <- 8 + (i * 5) %% 6
  heavy <- runif(n) < .35
  theta <- rnorm(n) + .5 * rnorm(1)
  load <- matrix(c(1.1, .9, .8, .7, .5), n, 5, byrow = TRUE) * ifelse(heavy, .35, 1.2)
  r <- load * theta + matrix(rnorm(5 * n), n)
  ratings <- matrix(1 + (r > -1.3) + (r > -.4) + (r > .5) + (r > 1.5), n)
  checks <- matrix(as.integer(1.2 * theta + matrix(rnorm(5 * n), n) > rep(c(-1.2, -.6, 0, .4, .9), each = n)), n)
  old <- as.integer(runif(n) < .4)
  age <- round(runif(n, 20, 70))
  lat <- .8 * theta - .9 * old * ifelse(heavy, -.5, 1) + .015 * (age - 45) + rlogis(n)
  data.frame(town = paste0("t", town[i]), village = village[i], w = round(ifelse(heavy, 6, 1) * exp(.2 * rnorm(n)), 3),
             r = ratings, c = checks, old = old, age = age, grade = 1 + (lat > -1.4) + (lat > -.2) + (lat > 1.1))
}))
names(people) <- gsub("\\.", "", names(people))
people <- put(people, "people")
# pairs: leaders' and staff's median rating of five agencies in 18 towns
pairs <- put(do.call(rbind, lapply(1:18, function(t) {
  truth <- rnorm(5, 3.2, .9) + .4 * rnorm(1)
  cut5 <- function(x) pmin(5, pmax(1, round(x)))
  data.frame(town = sprintf("T%02d", t), leaders = cut5(truth + .6 * rnorm(5)), staff = cut5(truth - .4 + .7 * rnorm(5)),
             w = round(exp(.8 * rnorm(5)), 3))
})), "pairs")
ratings <- people[paste0("r", 1:5)]
checks <- people[paste0("c", 1:5)]
dsn <- svydesign(~village, strata = ~town, weights = ~w, data = people)

# --- alpha, KR-20 ----------------------------------------------------------------------------------------------------
raw_alpha <- function(x) suppressWarnings(psych::alpha(x, warnings = FALSE)$total$raw_alpha)
weighted <- function(items) as.numeric(svycralpha(as.formula(paste("~", paste(items, collapse = "+"))), dsn))
p <- colMeans(checks); n <- nrow(checks)
wrong_kr20 <- 5 / 4 * (1 - sum(p * (1 - p)) / var(rowSums(checks)))  # p q with n, the sum's variance with n - 1
reliability <- list(n = n, alpha = raw_alpha(ratings), alpha_weighted = weighted(names(ratings)), kr20 = raw_alpha(checks),
                    kr20_weighted = weighted(names(checks)), wrong_kr20_mixed = wrong_kr20,
                    wrong_alpha_standardised = suppressWarnings(psych::alpha(ratings, warnings = FALSE)$total$std.alpha))

# --- omega of one factor ---------------------------------------------------------------------------------------------
# factanal stops at a relative 1e-9 or so when told to; psych's own optimisers stop at about five digits
omega_of <- function(load, unique, sd) { l <- load * sd; sum(l)^2 / (sum(l)^2 + sum(unique * sd^2)) }
tight <- function(C) {
  f <- factanal(covmat = list(cov = C, n.obs = 1000), factors = 1, rotation = "none",
                control = list(nstart = 3, opt = list(factr = 10, pgtol = 1e-12, maxit = 10000)))
  list(omega = omega_of(f$loadings[, 1], f$uniquenesses, sqrt(diag(C))), loadings = abs(as.numeric(f$loadings[, 1])))
}
by_psych <- function(C, fm) { f <- fa(cov2cor(C), nfactors = 1, fm = fm); omega_of(f$loadings[, 1], f$uniquenesses, sqrt(diag(C))) }
C <- cov(ratings); Cw <- cov.wt(ratings, people$w / sum(people$w), method = "ML")$cov
omega <- list(ml = tight(C), ml_weighted = tight(Cw), psych_ml = by_psych(C, "ml"), psych_ml_weighted = by_psych(Cw, "ml"),
              psych_minres = by_psych(C, "minres"), psych_minres_weighted = by_psych(Cw, "minres"),
              wrong_standardised = omega_of(tight(C)$loadings, 1 - tight(C)$loadings^2, rep(1, 5)))

# --- Rao-Wu bootstrap of villages within towns ------------------------------------------------------------------------
alpha_w <- function(w, data) {
  keep <- w > 0
  V <- cov.wt(data[keep, names(ratings)], w[keep] / sum(w[keep]), method = "ML")$cov
  5 / 4 * (1 - sum(diag(V)) / sum(V))
}
draws <- 4000
replicates <- function(type) {
  rep <- as.svrepdesign(dsn, type = type, replicates = draws, compress = FALSE)
  W <- weights(rep, type = "analysis")
  apply(W, 2, alpha_w, data = people)
}
raowu <- replicates("subbootstrap")
persons <- replicate(draws, { i <- sample(n, replace = TRUE); alpha_w(people$w[i], people[i, ]) })
# variance of a weighted total over towns of two villages, so that plain drawing of 2 of 2 halves it
two <- subset(people, village %in% unlist(lapply(split(people$village, people$town), function(v) unique(v)[1:2])))
total <- svytotal(~r1, svydesign(~village, strata = ~town, weights = ~w, data = two))
bootstrap <- list(draws = draws, statistic = alpha_w(people$w, people), mean = mean(raowu), sd = sd(raowu),
                  low = unname(quantile(raowu, .025)), high = unname(quantile(raowu, .975)), wrong_sd_persons = sd(persons),
                  two_villages = as.list(unique(two$village)), total = as.numeric(total), total_se = as.numeric(SE(total)))

# --- kappa -----------------------------------------------------------------------------------------------------------
kap <- function(d, w, case = NULL) {
  f <- function(v) factor(v, levels = 1:5)
  tab <- xtabs(case ~ f(leaders) + f(staff), transform(d, case = if (is.null(case)) 1 else case))
  suppressWarnings(cohen.kappa(matrix(tab, 5), w = w))
}
linear <- 1 - abs(row(diag(5)) - col(diag(5))) / 4
jackknife <- function(w, case) {
  towns <- unique(pairs$town)
  left <- sapply(towns, function(t) { k <- pairs$town != t; kap(pairs[k, ], w, case[k])$weighted.kappa })
  m <- length(towns)
  sqrt((m - 1) / m * sum((left - mean(left))^2))
}
one <- rep(1, nrow(pairs))
plain <- kap(pairs, NULL)
kappas <- list(quadratic = plain$weighted.kappa, linear = kap(pairs, linear)$weighted.kappa, none = plain$kappa,
               quadratic_weighted = kap(pairs, NULL, pairs$w)$weighted.kappa, jackknife_se = jackknife(NULL, one),
               jackknife_se_weighted = jackknife(NULL, pairs$w), delta_se_independent = sqrt(plain$var.weighted))

# --- cumulative logit --------------------------------------------------------------------------------------------------
# svyolr inverts the Hessian by MASS::ginv, which is not needed here: it is regular. Its Hessian is numerical: optim takes
# differences of the gradient at steps of ndeps, .001 by default and .00001 in `fine`.
svyolr_ <- eval(parse(text = gsub(".Generic", "'svyolr'", gsub("MASS::ginv", "solve", deparse(survey:::svyolr.survey.design2),
  fixed = TRUE), fixed = TRUE)), envir = asNamespace("survey"))
fit <- function(design, ndeps = 1e-3) svyolr_(factor(grade) ~ old + age, design,
  control = list(reltol = 1e-16, maxit = 10000, ndeps = rep(ndeps, 5)))
told <- function(f) { v <- sqrt(diag(f$var)); list(coefficients = as.numeric(f$coefficients), thresholds = as.numeric(f$zeta),
  se = as.numeric(v[1:2]), threshold_se = as.numeric(v[3:5])) }
ordinal <- list(default = told(fit(dsn)), fine = told(fit(dsn, 1e-5)), degf = degf(dsn),
                unweighted = told(fit(svydesign(~village, strata = ~town, weights = ~1, data = people), 1e-5)),
                wrong_se_persons = told(fit(svydesign(~1, weights = ~w, data = people), 1e-5))$se)

versions <- list(R = R.version.string, survey = as.character(packageVersion("survey")), psych = as.character(packageVersion("psych")))
writeLines(toJSON(list(meta = versions, reliability = reliability, omega = omega, bootstrap = bootstrap, kappa = kappas, ordinal = ordinal),
                  auto_unbox = TRUE, digits = 15, pretty = TRUE), file.path(here, "answers.json"))
