# What the recommendations rest on: Rscript tests/oracle/advice/recipe.R   (a few seconds; survey and jsonlite)
# Reads ../data/*.csv, writes panel.csv and answers.json beside this file. Everything named wrong_* is a tempting mistake.
suppressMessages({ library(survey); library(jsonlite) })
suppressWarnings(RNGversion("4.2.0"))
arg <- sub("^--file=", "", grep("^--file=", commandArgs(), value = TRUE))
here <- if (length(arg)) dirname(normalizePath(arg[1])) else "tests/oracle/advice"
data <- function(name) read.csv(file.path(here, "..", "data", paste0(name, ".csv")))
answers <- list()

# --- respondents for a rise of a share: power.prop.test, its root search tightened ------------------------------------
tight <- 1e-13
shares <- expand.grid(p = c(.05, .18, .389, .5, .62, .85), rise = c(.03, .1, .14))
answers$size_for_share <- do.call(rbind, Map(function(p, rise) data.frame(p = p, rise = rise,
  n = power.prop.test(p1 = p, p2 = p + rise, power = .8, tol = tight)$n,
  wrong_one_sided = power.prop.test(p1 = p, p2 = p + rise, power = .8, alternative = "one.sided", tol = tight)$n), shares$p, shares$rise))
rises <- expand.grid(p = c(.05, .18, .389, .5, .62), n = c(60, 150, 1000))
answers$rise_of_share <- do.call(rbind, Map(function(p, n) data.frame(p = p, n = n,
  rise = power.prop.test(n = n, p1 = p, power = .8, tol = tight)$p2 - p), rises$p, rises$n))

# --- of a mean: the normal power equation solved by its root, with and without a finite population ------------------------
power_of_mean <- function(n, s, d, r, N) pnorm(d / sqrt(2 * (1 - r) * s^2 * (1 / n - 1 / N)) - qnorm(.975))
mean_row <- function(s, d, r, N) data.frame(spread = s, rise = d, shared = r, listed = ifelse(is.finite(N), N, -1),
  n = uniroot(function(n) power_of_mean(n, s, d, r, N) - .8, c(.01, if (is.finite(N)) N * (1 - 1e-9) else 1e6), tol = 1e-12)$root)
answers$size_for_mean <- rbind(mean_row(1, .5, 0, Inf), mean_row(.35, .1, 0, Inf), mean_row(.35, .1, .4, Inf), mean_row(.6, .1, 0, 40), mean_row(.6, .2, .1, 900))

# --- the correlation of two waves that share villages ------------------------------------------------------------------
waves <- svydesign(id = ~village, strata = ~town, weights = ~w, data = data("waves_sim"), nest = TRUE)
answers$overlap <- do.call(rbind, lapply(c("y1", "y2", "y3"), function(y) {
  v <- vcov(svyby(reformulate(y), ~wave, waves[!is.na(waves$variables[[y]]), ], svymean, covmat = TRUE))
  data.frame(y = y, correlation = v[1, 2] / sqrt(v[1, 1] * v[2, 2])) }))

# --- linear regression in a domain ------------------------------------------------------------------------------------
fit <- function(name, design, formula, data) {
  g <- svyglm(formula, design); s <- coef(summary(g))
  plain <- coef(summary(lm(formula, data = model.frame(design))))
  data.frame(model = name, slope = s[2, 1], se = s[2, 2], df = g$df.residual, n = nrow(g$model), wrong_se_no_design = plain[2, 2]) }
towns <- svydesign(id = ~village, strata = ~town, weights = ~w, data = transform(data("towns_sim"), late = age3 == "60+", middle = age3 == "40-59", woman = sex == "f"), nest = TRUE)
staff <- svydesign(id = ~staff, strata = ~town, weights = ~w, fpc = ~staff_listed, data = data("staff_sim"))
answers$regression <- rbind(
  fit("towns, y3 on biz, age, sex", towns, y3 ~ biz + late + middle + woman),
  fit("towns, women, y2 on biz, age", subset(towns, woman), y2 ~ biz + late + middle),
  fit("staff, y1 on insider", staff, y1 ~ insider))

# --- within towns: town-months, variance over towns ----------------------------------------------------------------------
set.seed(20240612)
panel <- expand.grid(month = 2:12, town_id = sprintf("T%02d", 1:9))
panel$before <- round(runif(nrow(panel), .5, 1), 3)
panel$calls <- round(10 + as.integer(factor(panel$town_id)) + 4 * panel$before + rnorm(nrow(panel), 0, 2), 3)
panel <- panel[-c(3, 17, 18, 40, 77), c("town_id", "month", "before", "calls")]
write.csv(panel, file.path(here, "panel.csv"), row.names = FALSE, quote = FALSE)
panel <- read.csv(file.path(here, "panel.csv"))
clustered <- svyglm(calls ~ before + factor(town_id), svydesign(id = ~town_id, weights = ~1, data = panel))
answers$within <- data.frame(slope = coef(clustered)[["before"]], se = sqrt(vcov(clustered)["before", "before"]), df = length(unique(panel$town_id)) - 1, n = nrow(panel),
  wrong_slope_between = coef(lm(calls ~ before, panel))[["before"]], wrong_se_rows = coef(summary(lm(calls ~ before + factor(town_id), panel)))["before", 2])

# --- the difference of a ratio between two groups ------------------------------------------------------------------------
gap <- function(name, design) {
  both <- svyby(~y1, ~insider, denominator = ~den, design, svyratio, covmat = TRUE)
  names <- rownames(vcov(both)); d <- svycontrast(both, setNames(c(-1, 1), names))
  data.frame(design = name, gap = as.numeric(coef(d)), se = as.numeric(SE(d)), wrong_se_independent = sqrt(sum(SE(both)^2))) }
answers$ratio_gap <- rbind(gap("staff", update(staff, den = 1 + y2)),
  gap("towns", update(towns, insider = as.integer(biz), den = 1 + y2)))

# --- the difference of two means, variance over clusters -------------------------------------------------------------------
near <- transform(subset(data("calls_sim"), !is.na(on_time)), after = as.integer(channel == "grid"), on_time = as.numeric(on_time))
sides <- svyby(~on_time, ~after, svydesign(id = ~cluster, weights = ~1, data = near), svymean, covmat = TRUE)
d <- svycontrast(sides, c(-1, 1))
answers$gap_of_means <- data.frame(gap = as.numeric(coef(d)), se = as.numeric(SE(d)), clusters = length(unique(near$cluster)), n = nrow(near),
  wrong_se_independent = sqrt(sum(SE(sides)^2)))

# --- appraisal: effective weight, ranks under other weights, Kendall's tau-b (two departments tie under 40%) -----------------
scores <- data.frame(dept_id = sprintf("K%02d", 1:8), town_weight = c(.3, .35, .3, .25, .3, .33, .3, .3),
  town_score = c(90, 84, 95, 70, 88, 91, 79, 86), other_score = c(80, 84, 75, 88, 86, 78, 85, 82))
score <- function(w) with(scores, round(w * town_score + (1 - w) * other_score, 9))
total <- score(scores$town_weight); part <- with(scores, town_weight * town_score)
answers$appraisal <- list(scores = scores, effective = cov(part, total) / var(total),
  scenarios = lapply(c(.3, .4, .5), function(w) { nominal <- rank(-total, ties.method = "min"); new <- rank(-score(w), ties.method = "min")
    list(w = w, tau = cor(nominal, new, method = "kendall"), moved = sum(nominal != new), ranks = new) }))
answers$meta <- list(R = R.version.string, survey = as.character(packageVersion("survey")))
writeLines(toJSON(answers, digits = 15, auto_unbox = TRUE, pretty = TRUE), file.path(here, "answers.json"))
