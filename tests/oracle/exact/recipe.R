# Exact answers for few units: Rscript tests/oracle/exact/recipe.R   (a few seconds; base R and jsonlite)
# Writes answers.json beside this file. fisher.test stops its root search at a relative 1e-4, so every limit and estimate
# is solved again to 1e-14 from its noncentral hypergeometric distribution (*_tight); fisher.test's own are kept to compare.
suppressMessages(library(jsonlite))
suppressWarnings(RNGversion("4.2.0"))
arg <- sub("^--file=", "", grep("^--file=", commandArgs(), value = TRUE))
here <- if (length(arg)) dirname(normalizePath(arg[1])) else "tests/oracle/exact"

# --- 2 x 2 tables: k1 of n1 against k0 of n0 -------------------------------------------------------------------------
density <- function(logpsi, n1, n0, m) {
  x <- max(0, m - n0):min(n1, m)
  d <- dhyper(x, n1, n0, m, log = TRUE) + logpsi * x
  d <- exp(d - max(d))
  data.frame(x = x, d = d / sum(d))
}
solve_log <- function(f) uniroot(f, c(-60, 60), tol = 1e-14, maxiter = 10000)$root
fisher_row <- function(name, k1, n1, k0, n0) {
  table <- matrix(c(k1, n1 - k1, k0, n0 - k0), nrow = 2, byrow = TRUE)
  ft <- fisher.test(table)
  m <- k1 + k0
  x <- max(0, m - n0):min(n1, m)
  tail_up   <- function(l) { q <- density(l, n1, n0, m); sum(q$d[q$x >= k1]) }
  tail_down <- function(l) { q <- density(l, n1, n0, m); sum(q$d[q$x <= k1]) }
  mean_of   <- function(l) { q <- density(l, n1, n0, m); sum(q$x * q$d) }
  empty <- length(x) == 1
  at_low <- k1 == min(x); at_high <- k1 == max(x)
  est  <- if (empty) NA else if (at_low) 0 else if (at_high) Inf else exp(solve_log(function(l) mean_of(l) - k1))
  low  <- if (empty || at_low)  0   else exp(solve_log(function(l) tail_up(l) - 0.025))
  high <- if (empty || at_high) Inf else exp(solve_log(function(l) tail_down(l) - 0.025))
  half <- c(if (!empty && !at_low) solve_log(function(l) tail_up(l) - 0.5), if (!empty && !at_high) solve_log(function(l) tail_down(l) - 0.5))
  a <- k1; b <- n1 - k1; c <- k0; d <- n0 - k0
  wald <- exp(log(a * d / (b * c)) + c(-1, 1) * qnorm(.975) * sqrt(1/a + 1/b + 1/c + 1/d))
  data.frame(name = name, k1 = k1, n1 = n1, k0 = k0, n0 = n0, p = ft$p.value,
             estimate = as.character(unname(ft$estimate)), low = as.character(ft$conf.int[1]), high = as.character(ft$conf.int[2]),
             estimate_tight = sprintf("%.15g", est), low_tight = sprintf("%.15g", low), high_tight = sprintf("%.15g", high),
             median_unbiased = if (length(half)) mean(half) else NA,
             wrong_sample_odds_ratio = as.character(a * d / (b * c)), wrong_wald_low = as.character(wald[1]), wrong_wald_high = as.character(wald[2]))
}
fisher <- rbind(
  fisher_row("tea (Fisher 1935)", 3, 4, 1, 4),
  fisher_row("convictions of twins (Fisher 1962, ?fisher.test)", 2, 17, 10, 13),
  fisher_row("head changes", 9, 15, 3, 26),
  fisher_row("nobody before", 6, 12, 0, 20),
  fisher_row("nobody after", 0, 12, 7, 20),
  fisher_row("everybody after", 12, 12, 8, 20),
  fisher_row("all or nothing", 5, 5, 0, 7),
  fisher_row("no difference", 5, 10, 5, 10),
  fisher_row("large", 131, 400, 77, 390),
  fisher_row("one each", 1, 1, 0, 1),
  fisher_row("nobody at all", 0, 9, 0, 14),
  fisher_row("everybody", 9, 9, 14, 14))

# --- binomial intervals ----------------------------------------------------------------------------------------------
pairs <- data.frame(k = c(0, 1, 7, 18, 36, 23, 5), n = c(18, 18, 41, 36, 36, 41, 5))
binom <- do.call(rbind, lapply(seq_len(nrow(pairs)), function(i) with(pairs[i, ], {
  ci <- binom.test(k, n)$conf.int
  wald <- k / n + c(-1, 1) * qnorm(.975) * sqrt(k / n * (1 - k / n) / n)
  data.frame(k = k, n = n, low = ci[1], high = ci[2], wrong_wald_low = wald[1], wrong_wald_high = wald[2])
})))

# --- finite population: by phyper, trying every number that the population could hold ----------------------------------
finite_row <- function(k, n, N, level = .95) {
  M <- 0:N
  up   <- phyper(k - 1, M, N - M, n, lower.tail = FALSE)   # P(X >= k)
  down <- phyper(k, M, N - M, n)                           # P(X <= k)
  keep <- M >= k & M <= N - n + k
  ci <- if (n) binom.test(k, n, conf.level = level)$conf.int else c(0, 1)
  data.frame(k = k, n = n, N = N, level = level, low = min(M[keep & up > (1 - level) / 2]), high = max(M[keep & down > (1 - level) / 2]),
             wrong_binomial_low = ci[1] * N, wrong_binomial_high = ci[2] * N)
}
finite <- do.call(rbind, Map(finite_row, c(18, 20, 0, 30, 20, 5, 0, 12, 45, 11), c(30, 36, 10, 30, 35, 9, 0, 20, 100, 17),
                             c(36, 36, 36, 36, 36, 18, 36, 36, 300, 18), c(rep(.95, 8), .95, .90)))

# --- permutation over towns ------------------------------------------------------------------------------------------
permutation_row <- function(name, y, treated) {
  picks <- combn(length(y), length(treated))
  gap <- apply(picks, 2, function(i) mean(y[i]) - mean(y[-i]))
  own <- mean(y[treated]) - mean(y[-treated])
  eps <- 1e-9 * diff(range(y))
  list(name = name, values = y, treated = as.integer(seq_along(y) %in% treated), difference = own, assignments = ncol(picks),
       two_sided = mean(abs(gap) >= abs(own) - eps), greater = mean(gap >= own - eps), less = mean(gap <= own + eps),
       smallest_two_sided = mean(abs(gap) >= max(abs(gap)) - eps))
}
permutation <- list(
  permutation_row("tea, all right (Fisher 1935: 1/70)", c(1, 1, 1, 1, 0, 0, 0, 0), 1:4),
  permutation_row("tea, three right (17/70)", c(1, 1, 1, 1, 0, 0, 0, 0), c(1, 2, 3, 5)),
  permutation_row("one town of 18", c(.21, .35, .18, .44, .27, .30, .25, .33, .29, .38, .41, .22, .26, .31, .62, .36, .28, .24), 15),
  permutation_row("mtcars: manual among eight cylinders", mtcars$mpg[mtcars$cyl == 8], which(mtcars$am[mtcars$cyl == 8] == 1)),
  permutation_row("PlantGrowth, six against six", PlantGrowth$weight[c(1:6, 11:16)], 1:6))

# --- an interrupted monthly series: level change in a segmented binomial regression -----------------------------------
set.seed(7)
month <- 0:29
n <- rpois(30, 3) + (month %in% c(0, 29))
after <- as.integer(month >= 18)
k <- rbinom(30, n, plogis(-1.4 + 0.01 * month + 1.3 * after))
fit <- glm(cbind(k, n - k) ~ month + after + I((month - 18) * after), family = binomial, control = glm.control(epsilon = 1e-14, maxit = 100))
row <- summary(fit)$coefficients["after", ]
series <- list(month = month, n = n, k = k, starts = 18, level = unname(row[1]), se = unname(row[2]),
               wrong_without_trend = unname(coef(glm(cbind(k, n - k) ~ after, family = binomial))[2]))

meta <- list(R = R.version.string, jsonlite = as.character(packageVersion("jsonlite")))
writeLines(toJSON(list(meta = meta, fisher = fisher, binom = binom, finite = finite, permutation = permutation, series = series),
                  digits = NA, auto_unbox = TRUE, na = "null", pretty = TRUE), file.path(here, "answers.json"))
