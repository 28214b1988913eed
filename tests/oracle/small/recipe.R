# Small-area oracles: Rscript tests/oracle/small/recipe.R   (a few seconds; metafor and jsonlite)
# Reads data/milk.csv, writes data/shares.csv, data/flat.csv, data/peaks.csv and answers.json beside this file.
# metafor's rma(method = "REML") is the Fay-Herriot model: tau2, coefficients, blup() with se^2 = g1 + g2; g3 is added here by
# its formula. Where REML gives zero, the adjusted likelihood is maximised by optimize() over a fine grid of brackets.
suppressMessages({library(metafor); library(jsonlite)})
suppressWarnings(RNGversion("4.2.0"))
set.seed(20260401)
arg <- sub("^--file=", "", grep("^--file=", commandArgs(), value = TRUE))
here <- if (length(arg)) dirname(normalizePath(arg[1])) else "tests/oracle/small"
at <- function(name) file.path(here, "data", name)
num <- function(x) as.numeric(sprintf("%.15g", x))
keep <- function(frame, name) { write.csv(frame, at(name), row.names = FALSE, quote = FALSE); read.csv(at(name)) }

reml <- function(y, v, X) {
  fit <- rma(y, v, mods = X, intercept = FALSE, method = "REML", control = list(threshold = 1e-14, maxiter = 1000, stepadj = 0.5))
  pred <- blup(fit)
  w <- 1 / (fit$tau2 + v)
  g3 <- v^2 / (fit$tau2 + v)^3 * 2 / sum(w^2)
  dl <- rma(y, v, mods = X, intercept = FALSE, method = "DL")$tau2
  ml <- rma(y, v, mods = X, intercept = FALSE, method = "ML", control = list(threshold = 1e-14, maxiter = 1000, stepadj = 0.5))$tau2
  list(tau2 = num(fit$tau2), beta = num(as.vector(fit$beta)), eblup = num(pred$pred), g12 = num(pred$se^2), mse = num(pred$se^2 + 2 * g3),
       wrong_tau2_dersimonian_laird = num(dl), wrong_tau2_ml = num(ml))
}
# the restricted log likelihood in its textbook form, with dense matrices
loglik <- function(a, y, v, X) {
  V <- diag(a + v); Vi <- solve(V); XVX <- t(X) %*% Vi %*% X
  P <- Vi - Vi %*% X %*% solve(XVX) %*% t(X) %*% Vi
  as.numeric(-0.5 * (determinant(V)$modulus + determinant(XVX)$modulus + t(y) %*% P %*% y))
}
highest <- function(f, top) {
  cuts <- c(0, exp(seq(log(top * 1e-6), log(top), length.out = 400)))
  heights <- sapply(cuts[-1], f)
  k <- which.max(heights) + 1
  optimize(f, c(cuts[k - 1], cuts[min(k + 1, length(cuts))]), maximum = TRUE, tol = 1e-13)$maximum
}

# --- 1. The milk data: sae's published example ------------------------------------------------------------------------
milk <- read.csv(at("milk.csv"))
milk_answers <- reml(milk$y, milk$sd^2, model.matrix(~ factor(milk$major)))

# --- 2. Shares of 18 towns on the arcsine scale, two of them near 0 and 1 ---------------------------------------------
m <- 18
size <- c(90, 60, 90, 90, 75, 75, 60, 60, 60, 60, 60, 25, 60, 60, 60, 60, 60, 60)
pop <- c(68, 41, 83, 77, 59, 52, 39, 35, 33, 44, 31, 17, 29, 27, 25, 36, 38, 22)
angle <- asin(sqrt(0.35)) + 0.25 * (log(pop) - mean(log(pop))) + rnorm(m, 0, 0.1)
n_eff <- round(size / runif(m, 1.1, 1.8), 3)
p <- round(rbinom(m, size, sin(angle)^2) / size, 6)
p[17] <- 0.02; p[3] <- 0.97
shares <- keep(data.frame(town = sprintf("T%02d", 1:m), p = p, n_eff = n_eff, pop = pop), "shares.csv")
y <- asin(sqrt(shares$p)); v <- 1 / (4 * shares$n_eff)
share_answers <- reml(y, v, cbind(1, log(shares$pop)))
half <- qnorm(.975) * sqrt(share_answers$mse)
share_answers$low <- num(sin(pmax(share_answers$eblup - half, 0))^2)
share_answers$high <- num(sin(pmin(share_answers$eblup + half, pi / 2))^2)
share_answers$share <- num(sin(share_answers$eblup)^2)
slope <- 2 * sqrt(share_answers$share * (1 - share_answers$share))   # the delta method: an interval on the share's own scale
share_answers$wrong_low <- num(share_answers$share - slope * half)
share_answers$wrong_high <- num(share_answers$share + slope * half)

# --- 3. Towns more alike than chance: REML gives zero -------------------------------------------------------------------
flat <- keep(data.frame(p = round(0.38 + rnorm(m, 0, 0.02), 6), n_eff = shares$n_eff, pop = pop), "flat.csv")
fy <- asin(sqrt(flat$p)); fv <- 1 / (4 * flat$n_eff); fX <- cbind(1, log(flat$pop))
zero <- reml(fy, fv, fX)$tau2
adjusted <- highest(function(a) log(a) + loglik(a, fy, fv, fX), 1)
profile <- function(a) { w <- 1 / (a + fv); b <- solve(t(fX) %*% (w * fX), t(fX) %*% (w * fy)); 0.5 * sum(log(w)) - 0.5 * sum(w * (fy - fX %*% b)^2) }
flat_answers <- list(reml = num(zero), tau2 = num(adjusted), wrong_tau2_adjusted_profile = num(highest(function(a) log(a) + profile(a), 1)))

# --- 4. A restricted likelihood with two maxima -----------------------------------------------------------------------
peaks <- keep(data.frame(y = c(0.15, -2.96, 0, -0.1, -0.01, 0.02, 0.37), v = c(7.884, 0.615, 0.005, 0.008, 0.244, 1.356, 6.502)), "peaks.csv")
one <- matrix(1, nrow(peaks), 1)
f <- function(a) loglik(a, peaks$y, peaks$v, one)
peak_answers <- list(tau2 = num(highest(f, 20)), wrong_lesser_maximum = num(optimize(f, c(0, 0.01), maximum = TRUE, tol = 1e-13)$maximum))

write(toJSON(list(
  meta = list(R = R.version.string, metafor = as.character(packageVersion("metafor")), jsonlite = as.character(packageVersion("jsonlite"))),
  milk = milk_answers, shares = share_answers, flat = flat_answers, peaks = peak_answers),
  auto_unbox = TRUE, digits = NA, pretty = 1), file.path(here, "answers.json"))
