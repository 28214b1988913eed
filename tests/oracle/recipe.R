# Oracles of huying: answers computed by R, frozen in answers.json, so that the tests need no R.
# Run from anywhere:  Rscript tests/oracle/recipe.R      (about half a minute)
# Writes tests/oracle/data/*.csv, reads them back and computes every answer from what the files say.
suppressMessages({library(survey); library(survival); library(jsonlite)})
options(survey.lonely.psu = "fail", survey.ultimate.cluster = FALSE, stringsAsFactors = FALSE, warn = 1)
suppressWarnings(RNGversion("4.2.0"))
set.seed(20260101)

arg  <- sub("^--file=", "", grep("^--file=", commandArgs(), value = TRUE))
here <- if (length(arg)) dirname(normalizePath(arg[1])) else "tests/oracle"
data_dir <- file.path(here, "data")
dir.create(data_dir, showWarnings = FALSE, recursive = TRUE)

# ---------------------------------------------------------------------------------------------------------------
# 0. Helpers: numbers written so that they read back bit for bit (jsonlite stops at 15 significant digits)
# ---------------------------------------------------------------------------------------------------------------
num <- function(x, missing = "null") {
  x <- as.numeric(x)
  s <- sprintf("%.15g", x)
  for (f in c("%.16g", "%.17g")) {
    bad <- is.finite(x) & suppressWarnings(as.numeric(s)) != x
    s[bad] <- sprintf(f, x[bad])
  }
  s[!is.finite(x)] <- missing
  s
}
atom <- function(x) {
  if (is.factor(x)) x <- as.character(x)
  if (is.logical(x)) ifelse(is.na(x), "null", ifelse(x, "true", "false"))
  else if (is.character(x)) ifelse(is.na(x), "null", vapply(x, function(v) as.character(toJSON(v, auto_unbox = TRUE)), ""))
  else num(x)
}
# data frame -> list of records, named list -> object, vector of length 1 -> scalar, I(vector) or longer -> array
to_json <- function(x, pad = "") {
  inner <- paste0(pad, " ")
  if (is.data.frame(x)) {
    if (!nrow(x)) return("[]")
    cols <- lapply(x, atom)
    cells <- mapply(function(k, v) paste0("\"", k, "\": ", v), names(cols), cols, SIMPLIFY = FALSE)
    rows <- do.call(paste, c(unname(cells), sep = ", "))
    return(paste0("[\n", paste0(inner, "{", rows, "}", collapse = ",\n"), "\n", pad, "]"))
  }
  if (is.list(x)) {
    if (is.null(names(x))) return(paste0("[", paste(vapply(x, to_json, "", pad = inner), collapse = ", "), "]"))
    body <- mapply(function(k, v) paste0(inner, "\"", k, "\": ", to_json(v, inner)), names(x), x)
    return(paste0("{\n", paste(body, collapse = ",\n"), "\n", pad, "}"))
  }
  if (length(x) == 1 && !inherits(x, "AsIs")) atom(x) else paste0("[", paste(atom(unclass(x)), collapse = ", "), "]")
}
put <- function(df, name) {
  path <- file.path(data_dir, paste0(name, ".csv"))
  cols <- lapply(df, function(v) if (is.numeric(v)) num(v, "") else { v <- as.character(v); ifelse(is.na(v), "", v) })
  writeLines(c(paste(names(df), collapse = ","), do.call(paste, c(unname(cols), sep = ","))), path)
  read.csv(path, na.strings = "", colClasses = unname(vapply(df, function(v) if (is.numeric(v)) "numeric" else "character", "")))
}
yes <- function(x) as.integer(x == "Yes")
one <- function(v) unname(as.numeric(v))[1]

# ---------------------------------------------------------------------------------------------------------------
# 1. Data
# ---------------------------------------------------------------------------------------------------------------
data(api); data(nhanes); data(scd)
api_cols <- function(df, extra) data.frame(stype = as.character(df$stype), cnum = df$cnum, dnum = df$dnum, snum = df$snum,
  api99 = df$api99, api00 = df$api00, enroll = df$enroll, api_stu = df$api.stu, awards = yes(df$awards),
  comp_imp = yes(df$comp.imp), sch_wide = yes(df$sch.wide), pw = df$pw, df[extra])
apistrat_csv <- put(api_cols(apistrat, "fpc"), "apistrat")
apiclus1_csv <- put(api_cols(apiclus1, "fpc"), "apiclus1")
apiclus2_csv <- put(api_cols(apiclus2, c("fpc1", "fpc2")), "apiclus2")
nhanes_csv   <- put(data.frame(sdmvpsu = nhanes$SDMVPSU, sdmvstra = nhanes$SDMVSTRA, wtmec2yr = nhanes$WTMEC2YR,
                  hi_chol = nhanes$HI_CHOL, race = nhanes$race, sex = nhanes$RIAGENDR), "nhanes")
scd_csv      <- put(data.frame(esa = scd$ESA, ambulance = scd$ambulance, arrests = scd$arrests, alive = scd$alive, w = 1), "scd")

# two waves that share their districts: api99 is wave 1, api00 wave 2; every seventh school is missing from wave 2
k <- seq_len(nrow(apiclus1_csv))
w1 <- with(apiclus1_csv, data.frame(wave = 1, dnum, snum, pw, fpc, api = api99, high = as.integer(api99 >= 650)))
w2 <- with(apiclus1_csv, data.frame(wave = 2, dnum, snum, pw, fpc, api = api00, high = as.integer(api00 >= 650)))[k %% 7 != 0, ]
api_waves_csv <- put(rbind(w1, w2), "api_waves")

# towns: 5 towns x 6 villages x about 10 persons, two waves in the same villages, unequal weights
towns <- paste0("t", 1:5)
draw_wave <- function(wave, shift) do.call(rbind, lapply(seq_along(towns), function(t) do.call(rbind, lapply(1:6, function(v) {
  n <- 7 + (t * 5 + v * 3 + wave * 2) %% 7
  village <- sprintf("v%d%02d", t, v)
  u <- village_effect[village]
  sex <- ifelse(runif(n) < .55, "f", "m")
  age3 <- c("18-39", "40-59", "60+")[1 + (runif(n) > .3) + (runif(n) > .6)]
  data.frame(wave = wave, person = sprintf("w%d%s%02d", wave, village, 1:n), town = towns[t], village = village, sex = sex, age3 = age3,
    biz = as.integer(runif(n) < .2), w = round(20 * (1 + (t - 1) / 4) * exp(.6 * rnorm(1)) * exp(.3 * rnorm(n)), 3),
    y1 = as.integer(runif(n) < plogis(-.2 + .25 * t + u + .3 * (age3 == "60+") + shift)),
    y2 = as.integer(runif(n) < plogis(-1 + .15 * t + .7 * u - .4 * (sex == "m") + shift)),
    y3 = ifelse(runif(n) < .08, NA, as.integer(runif(n) < plogis(.8 - .3 * t + u))))
}))))
village_effect <- setNames(.7 * rnorm(30), sprintf("v%d%02d", rep(1:5, each = 6), rep(1:6, 5)))
waves_csv <- put(rbind(draw_wave(1, 0), draw_wave(2, .35)), "waves_sim")
towns_csv <- put(subset(waves_csv, wave == 1, -wave), "towns_sim")
margin_rows <- do.call(rbind, lapply(seq_along(towns), function(t) {
  total <- c(2400, 3100, 1800, 4200, 2750)[t]
  men <- round(total * (.47 + .01 * t)); young <- round(total * (.36 - .02 * t)); old <- round(total * (.24 + .02 * t))
  data.frame(town = towns[t], margin = c("sex", "sex", "age3", "age3", "age3"), category = c("f", "m", "18-39", "40-59", "60+"),
             n = c(total - men, men, young, total - young - old, old))
}))
margins_csv <- put(margin_rows, "towns_margins")

# staff: the person is the PSU, the list of the town is the fpc; t5 is complete
staff_listed <- c(38, 25, 52, 18, 14); staff_n <- c(24, 19, 30, 12, 14)
staff_csv <- put(do.call(rbind, lapply(1:5, function(t) { n <- staff_n[t]
  data.frame(staff = sprintf("s%d%02d", t, 1:n), town = towns[t], staff_listed = staff_listed[t], w = staff_listed[t] / n,
    insider = as.integer(runif(n) < .6), y1 = as.integer(runif(n) < .35 + .07 * t), y2 = as.integer(runif(n) < .3),
    y3 = ifelse(runif(n) < .1, NA, as.integer(runif(n) < .55))) })), "staff_sim")

# calls: towns x departments, whole working days (0 = the same day), ties, censoring, two causes (1 closed, 2 returned)
cell <- expand.grid(dept = paste0("d", 1:6), town = towns)
calls_csv <- put(do.call(rbind, lapply(seq_len(nrow(cell)), function(i) {
  n <- 8 + (i * 7) %% 17
  u <- .4 * rnorm(1); month <- sample(1:12, n, TRUE)
  t1 <- floor(rexp(n, .22 * exp(u + .04 * month))); t2 <- floor(rexp(n, .05)); cens <- floor(runif(n, 2, 30))
  time <- pmin(t1, t2, cens)
  event <- ifelse(t1 <= pmin(t2, cens), 1, ifelse(t2 <= cens, 2, 0))
  data.frame(call = sprintf("c%02d%02d", i, 1:n), town = cell$town[i], dept = cell$dept[i], cluster = paste0(cell$town[i], cell$dept[i]),
    channel = ifelse(runif(n) < .6, "12345", "grid"), month = month, w = c(1, 1.5, 2, 3)[1 + (i + seq_len(n)) %% 4],
    time_wd = time, event = event, on_time = as.integer(event == 1 & time <= 5))
})), "calls_sim")

# survival: pbc as in ?svykm, mgus2 as in the competing risks vignette
pbc$randomized <- with(pbc, !is.na(trt) & trt > 0)
pbc$randprob <- fitted(glm(randomized ~ age * edema, data = pbc))
pbc_csv <- put(with(subset(pbc, randomized), data.frame(id, time, status, edema, sex = as.character(sex), randprob)), "pbc")
mgus2_csv <- put(with(mgus2, data.frame(id, sex = as.character(sex), etime = ifelse(pstat == 0, futime, ptime),
                   event = ifelse(pstat == 0, 2 * death, 1))), "mgus2")

answers <- list()
answers$meta <- list(r = R.version.string, survey = as.character(packageVersion("survey")), survival = as.character(packageVersion("survival")),
  jsonlite = as.character(packageVersion("jsonlite")), rng = I(RNGkind()), seed = 20260101,
  numbers = "shortest decimal that reads back bit for bit; null = missing, not a number or infinite",
  rows_of_data = data.frame(file = c("apistrat", "apiclus1", "apiclus2", "nhanes", "scd", "api_waves", "waves_sim", "towns_sim",
    "towns_margins", "staff_sim", "calls_sim", "pbc", "mgus2"), n = c(nrow(apistrat_csv), nrow(apiclus1_csv), nrow(apiclus2_csv),
    nrow(nhanes_csv), nrow(scd_csv), nrow(api_waves_csv), nrow(waves_csv), nrow(towns_csv), nrow(margins_csv), nrow(staff_csv),
    nrow(calls_csv), nrow(pbc_csv), nrow(mgus2_csv))))

# ---------------------------------------------------------------------------------------------------------------
# 2. Designs
# ---------------------------------------------------------------------------------------------------------------
spec <- list(
  apistrat           = list(data = apistrat_csv, file = "apistrat", id = NA, strata = "stype", w = "pw", fpc = "fpc"),
  apistrat_nofpc     = list(data = apistrat_csv, file = "apistrat", id = NA, strata = "stype", w = "pw", fpc = NA),
  apiclus1           = list(data = apiclus1_csv, file = "apiclus1", id = "dnum", strata = NA, w = "pw", fpc = "fpc"),
  apiclus1_nofpc     = list(data = apiclus1_csv, file = "apiclus1", id = "dnum", strata = NA, w = "pw", fpc = NA),
  apiclus2_one_stage = list(data = apiclus2_csv, file = "apiclus2", id = "dnum", strata = NA, w = "pw", fpc = NA),
  nhanes             = list(data = nhanes_csv, file = "nhanes", id = "sdmvpsu", strata = "sdmvstra", w = "wtmec2yr", fpc = NA),
  scd                = list(data = scd_csv, file = "scd", id = "ambulance", strata = "esa", w = "w", fpc = NA),
  towns              = list(data = towns_csv, file = "towns_sim", id = "village", strata = "town", w = "w", fpc = NA),
  staff              = list(data = staff_csv, file = "staff_sim", id = "staff", strata = "town", w = "w", fpc = "staff_listed"),
  staff_nofpc        = list(data = staff_csv, file = "staff_sim", id = "staff", strata = "town", w = "w", fpc = NA),
  api_waves          = list(data = api_waves_csv, file = "api_waves", id = "dnum", strata = NA, w = "pw", fpc = NA),
  api_waves_fpc      = list(data = api_waves_csv, file = "api_waves", id = "dnum", strata = NA, w = "pw", fpc = "fpc"),
  waves              = list(data = waves_csv, file = "waves_sim", id = "village", strata = "town", w = "w", fpc = NA))
f1 <- function(v, none = NULL) if (is.na(v)) none else reformulate(v)
build <- function(s, data = s$data, w = data[[s$w]]) { data$.w <- w
  svydesign(id = f1(s$id, ~1), strata = f1(s$strata), weights = ~.w, fpc = f1(s$fpc), data = data, nest = TRUE) }
designs <- lapply(spec, build)
answers$designs <- do.call(rbind, lapply(names(spec), function(k) { s <- spec[[k]]; d <- designs[[k]]
  data.frame(design = k, file = s$file, strata = s$strata, psu = s$id, weight = s$w, fpc = s$fpc, n = nrow(d),
    n_strata = length(unique(d$strata[, 1])), n_psu = nrow(unique(cbind(d$strata[, 1], d$cluster[, 1]))), degf = degf(d), sum_w = sum(weights(d))) }))

# ---------------------------------------------------------------------------------------------------------------
# 3. Means, proportions, totals, ratios with both design effects
#    deff:         v / (svyvar / n x (1 - n / sum w))         deff_replace: v / (svyvar / n);  svyvar has n / (n - 1)
# ---------------------------------------------------------------------------------------------------------------
mean_row <- function(k, y, kind, d = designs[[k]]) {
  f <- reformulate(y)
  fn <- if (kind == "total") svytotal else svymean
  a <- suppressWarnings(fn(f, d, na.rm = TRUE, deff = TRUE)); b <- suppressWarnings(fn(f, d, na.rm = TRUE, deff = "replace"))
  ok <- !is.na(d$variables[[y]])
  data.frame(design = k, kind = kind, variable = y, estimate = one(coef(a)), se = one(SE(a)), degf = degf(d), deff = one(deff(a)),
    deff_replace = one(deff(b)), n = sum(ok))
}
api_names <- c("apistrat", "apistrat_nofpc", "apiclus1", "apiclus1_nofpc", "apiclus2_one_stage")
wanted <- rbind(
  expand.grid(k = api_names, kind = "mean", y = c("api00", "enroll")), expand.grid(k = api_names, kind = "proportion", y = c("awards", "comp_imp", "sch_wide")),
  expand.grid(k = api_names, kind = "total", y = c("enroll", "awards")),
  data.frame(k = "nhanes", kind = c("proportion", "total"), y = "hi_chol"), data.frame(k = "scd", kind = c("mean", "mean", "total", "total"), y = c("alive", "arrests")),
  expand.grid(k = "towns", kind = c("proportion", "total"), y = c("y1", "y2", "y3", "biz")), expand.grid(k = c("staff", "staff_nofpc"), kind = c("proportion", "total"), y = c("y1", "y2", "y3")))
wanted[] <- lapply(wanted, as.character)
answers$estimates <- do.call(rbind, Map(mean_row, wanted$k, wanted$y, wanted$kind)); rownames(answers$estimates) <- NULL

ratio_row <- function(k, a, b) { d <- designs[[k]]
  r <- svyratio(reformulate(a), reformulate(b), d, na.rm = TRUE)
  e <- suppressWarnings(tryCatch(one(deff(svyratio(reformulate(a), reformulate(b), d, na.rm = TRUE, deff = TRUE))), error = function(x) NA))
  e2 <- suppressWarnings(tryCatch(one(deff(svyratio(reformulate(a), reformulate(b), d, na.rm = TRUE, deff = "replace"))), error = function(x) NA))
  data.frame(design = k, numerator = a, denominator = b, estimate = one(coef(r)), se = one(SE(r)), degf = degf(d), deff = e, deff_replace = e2) }
answers$ratios <- do.call(rbind, c(lapply(api_names, ratio_row, "api_stu", "enroll"), list(ratio_row("scd", "alive", "arrests"),
  ratio_row("towns", "y2", "y1"), ratio_row("staff", "y2", "y1"))))

# ---------------------------------------------------------------------------------------------------------------
# 4. Domains: svyby, with the degrees of freedom of each domain (its own strata and PSUs)
#    wrong_se_dropped_psus: the SE of a design made of the domain's rows alone
# ---------------------------------------------------------------------------------------------------------------
dropped_se <- function(s, y, inside, w = s$data[[s$w]]) {
  old <- options(survey.lonely.psu = "fail"); on.exit(options(old))
  keep <- inside & !is.na(s$data[[y]])
  tryCatch(one(SE(svymean(reformulate(y), build(s, s$data[keep, ], w[keep])))), error = function(e) NA)
}
domain_rows <- function(k, y, by, d = designs[[k]]) {
  s <- spec[[k]]
  b <- suppressWarnings(svyby(reformulate(y), reformulate(by), d, svymean, na.rm = TRUE))
  do.call(rbind, lapply(seq_len(nrow(b)), function(i) {
    inside <- Reduce(`&`, lapply(by, function(v) d$variables[[v]] == b[[v]][i]))
    ok <- inside & !is.na(d$variables[[y]])
    data.frame(design = k, variable = y, by = paste(by, collapse = " x "), domain = paste(vapply(by, function(v) as.character(b[[v]][i]), ""), collapse = " x "),
      estimate = b[[y]][i], se = b$se[i], degf = degf(d[inside, ]), degf_answered = degf(d[ok, ]), n = sum(ok),
      n_psu = nrow(unique(cbind(d$strata[ok, 1], d$cluster[ok, 1]))), wrong_se_dropped_psus = dropped_se(s, y, inside))
  }))
}
answers$domains <- do.call(rbind, c(
  unlist(lapply(api_names, function(k) lapply(c("api00", "awards"), function(y) list(domain_rows(k, y, "stype"), domain_rows(k, y, "cnum")))), recursive = FALSE) |> unlist(recursive = FALSE),
  list(domain_rows("apiclus1", "api00", c("stype", "sch_wide")), domain_rows("nhanes", "hi_chol", c("race", "sex")), domain_rows("nhanes", "hi_chol", "race")),
  lapply(c("y1", "y2", "y3"), function(y) domain_rows("towns", y, "town")), lapply(c("y1", "y3"), function(y) domain_rows("towns", y, c("town", "sex"))),
  lapply(c("y1", "y3"), function(y) domain_rows("towns", y, "biz")), list(domain_rows("towns", "y1", c("town", "biz"))), lapply(c("y1", "y2", "y3"), function(y) domain_rows("staff", y, "town")),
  list(domain_rows("staff", "y1", "insider"), domain_rows("staff", "y1", c("town", "insider")), domain_rows("staff_nofpc", "y1", "town"))))

# ---------------------------------------------------------------------------------------------------------------
# 5. Differences (svyby covmat + svycontrast), paired differences, changes between waves
# ---------------------------------------------------------------------------------------------------------------
diff_row <- function(k, y, by, a, b, d = designs[[k]]) {
  d <- d[!is.na(d$variables[[y]]), ]
  s <- svyby(reformulate(y), reformulate(by), d, svymean, covmat = TRUE)
  lev <- as.character(s[[by]]); co <- numeric(length(lev)); co[lev == a] <- 1; co[lev == b] <- -1
  r <- svycontrast(s, co); v <- vcov(s); ia <- which(lev == a); ib <- which(lev == b)
  data.frame(design = k, variable = y, by = by, first = a, second = b, difference = one(coef(r)), se = one(SE(r)), covariance = v[ia, ib],
    estimate_first = s[[y]][ia], estimate_second = s[[y]][ib], se_first = sqrt(v[ia, ia]), se_second = sqrt(v[ib, ib]),
    degf = degf(designs[[k]]), wrong_se_independent = sqrt(v[ia, ia] + v[ib, ib]))
}
answers$differences <- do.call(rbind, c(
  unlist(lapply(api_names, function(k) lapply(c("api00", "awards"), function(y) diff_row(k, y, "stype", "E", "H"))), recursive = FALSE),
  list(diff_row("apiclus1", "api00", "stype", "H", "M"), diff_row("nhanes", "hi_chol", "race", "1", "2"), diff_row("nhanes", "hi_chol", "sex", "1", "2")),
  lapply(c("y1", "y2", "y3"), function(y) diff_row("towns", y, "sex", "f", "m")), lapply(c("y1", "y3"), function(y) diff_row("towns", y, "town", "t4", "t1")),
  list(diff_row("towns", "y1", "biz", "1", "0"), diff_row("staff", "y1", "town", "t3", "t1"), diff_row("staff", "y1", "insider", "1", "0"), diff_row("staff", "y3", "insider", "1", "0"))))

# a difference of two shares as a contrast of four totals: right on a raked design too, where svyby(covmat = TRUE) stops in 4.1
totals_contrast <- function(d, y, in_a, in_b) {
  v <- d$variables[[y]]; ok <- !is.na(v); v[!ok] <- 0
  d <- update(d, n_a = v * (in_a & ok), m_a = as.numeric(in_a & ok), n_b = v * (in_b & ok), m_b = as.numeric(in_b & ok))
  r <- svycontrast(svytotal(~n_a + m_a + n_b + m_b, d), quote(n_a / m_a - n_b / m_b))
  c(difference = one(coef(r)), se = one(SE(r)))
}
rest_row <- function(k, y, town, d = designs[[k]]) { t <- d$variables$town
  r <- totals_contrast(d, y, t == town, t != town); p <- totals_contrast(d, y, t == town, rep(TRUE, length(t)))
  data.frame(design = k, variable = y, town = town, minus_rest = r[[1]], se_minus_rest = r[[2]], minus_county = p[[1]], se_minus_county = p[[2]]) }
answers$town_against_rest <- do.call(rbind, unlist(lapply(towns, function(t) list(rest_row("towns", "y1", t), rest_row("towns", "y3", t), rest_row("staff", "y1", t))), recursive = FALSE))

paired_row <- function(k, a, b, d = designs[[k]]) {
  d <- update(d, dif = d$variables[[a]] - d$variables[[b]])
  m <- svymean(~dif, d, na.rm = TRUE); t <- suppressWarnings(svyttest(dif ~ 0, subset(d, !is.na(dif))))
  data.frame(design = k, first = a, second = b, difference = one(coef(m)), se = one(SE(m)), n = sum(!is.na(d$variables$dif)), degf = degf(d), t_svyttest = one(t$statistic), df_svyttest = one(t$parameter), p_svyttest = one(t$p.value))
}
answers$paired_differences <- do.call(rbind, c(lapply(api_names, paired_row, "awards", "comp_imp"), list(paired_row("towns", "y1", "y2"), paired_row("towns", "y1", "y3"), paired_row("staff", "y1", "y2"), paired_row("staff", "y1", "y3"))))

wave_row <- function(k, y, town = NULL) { d <- designs[[k]]; if (!is.null(town)) d <- d[d$variables$town == town, ]
  r <- diff_row(k, y, "wave", "2", "1", d); r$degf <- degf(d); data.frame(design = k, variable = y, town = if (is.null(town)) NA else town, r[-(1:5)]) }
answers$wave_changes <- do.call(rbind, c(lapply(c("api", "high"), function(y) wave_row("api_waves", y)), lapply(c("api", "high"), function(y) wave_row("api_waves_fpc", y)),
  lapply(c("y1", "y2", "y3"), function(y) wave_row("waves", y)), lapply(towns, function(t) wave_row("waves", "y1", t))))

# ---------------------------------------------------------------------------------------------------------------
# 6. Raking. se: rake(), R's own sweeps (10) with UNWEIGHTED cell means.  se_greg: as calibrate(calfun = "raking"), the residual of the
#    regression weighted by the base weights.  They agree when base weights are equal within the cells.  se_jkn: jackknife, raked again in every replicate.
# ---------------------------------------------------------------------------------------------------------------
rake_control <- list(maxit = 200, epsilon = 1e-12)
greg <- function(d, raked, f) {       # what calibrate(d, f, calfun = "raking") returns; built here because calibrate() needs MASS, which this R has not
  half <- sqrt(weights(d)); g <- d
  g$prob <- raked$prob
  g$postStrata <- list(structure(list(qr = qr(model.matrix(f, d$variables) * half), w = weights(raked) / half, stage = 0, index = NULL), class = c("greg_calibration", "gen_raking")))
  g
}
raking_case <- function(k, d, margins, pops, f, ys, ymeans, bys, pairs, contrasts, changes = NULL, jkn = FALSE) {
  s <- spec[[k]]
  r <- rake(d, margins, pops, control = rake_control); g <- greg(d, r, f)
  fixed <- build(s, w = weights(r))
  jk <- if (jkn) rake(as.svrepdesign(d, type = "JKn", mse = TRUE), margins, pops, control = rake_control) else NULL
  se_of <- function(fn) c(se = one(SE(fn(r))), se_greg = one(SE(fn(g))), se_jkn = if (jkn) one(SE(fn(jk))) else NA, wrong_se_fixed_weights = one(SE(fn(fixed))))
  row <- function(kind, y) { fm <- reformulate(y); fn <- if (kind == "total") function(x) svytotal(fm, x, na.rm = TRUE) else function(x) svymean(fm, x, na.rm = TRUE)
    data.frame(kind = kind, variable = y, estimate = one(coef(fn(r))), t(se_of(fn)), degf = degf(r)) }
  est <- do.call(rbind, c(lapply(ymeans, row, kind = "mean"), lapply(ys, row, kind = "proportion"), lapply(c(ymeans, ys), row, kind = "total")))
  dom <- do.call(rbind, unlist(lapply(bys, function(by) lapply(c(ymeans, ys), function(y) { key <- interaction(r$variables[by], sep = " x ", lex.order = TRUE)
    do.call(rbind, lapply(levels(droplevels(key)), function(l) { inside <- key == l; ok <- inside & !is.na(r$variables[[y]])
      fn <- function(x) svymean(reformulate(y), x[inside, ], na.rm = TRUE)
      data.frame(variable = y, by = paste(by, collapse = " x "), domain = l, estimate = one(coef(fn(r))), t(se_of(fn)), degf = degf(r[inside, ]), n = sum(ok),
        wrong_se_dropped_psus = dropped_se(s, y, inside, weights(r))) })) })), recursive = FALSE))
  prs <- do.call(rbind, lapply(pairs, function(p) { fn <- function(x) svymean(~dif, update(x, dif = x$variables[[p[1]]] - x$variables[[p[2]]]), na.rm = TRUE)
    data.frame(first = p[1], second = p[2], difference = one(coef(fn(r))), t(se_of(fn))) }))
  cts <- do.call(rbind, lapply(contrasts, function(cc) { v <- as.character(r$variables[[cc[2]]]); a <- v == cc[3]; b <- if (cc[4] == "rest") v != cc[3] else v == cc[4]
    one_d <- function(x) totals_contrast(x, cc[1], a, b)
    data.frame(variable = cc[1], by = cc[2], first = cc[3], second = cc[4], difference = one_d(r)[[1]], se = one_d(r)[[2]], se_greg = one_d(g)[[2]],
      se_jkn = if (jkn) one_d(jk)[[2]] else NA, wrong_se_fixed_weights = one_d(fixed)[[2]]) }))
  out <- list(design = k, sum_weights = sum(weights(r)), weights = I(unname(weights(r))),
       estimates = est, domains = dom, paired_differences = prs, differences = cts)
  if (!is.null(changes)) out$wave_changes <- do.call(rbind, lapply(changes, function(cc) { v <- r$variables; inside <- if (cc[2] == "county") rep(TRUE, nrow(v)) else v$town == cc[2]
    one_d <- function(x) totals_contrast(x, cc[1], inside & v$wave == 2, inside & v$wave == 1)
    data.frame(variable = cc[1], town = cc[2], difference = one_d(r)[[1]], se = one_d(r)[[2]], se_greg = one_d(g)[[2]], wrong_se_fixed_weights = one_d(fixed)[[2]], degf = degf(r[inside, ])) }))
  out
}
stype_pop <- data.frame(stype = c("E", "H", "M"), Freq = c(4421, 755, 1018))     # margins of ?rake
wide_pop  <- data.frame(sch_wide = c(0, 1), Freq = c(1072, 5122))
award_pop <- data.frame(awards = c(0, 1), Freq = c(2027, 4167))                  # table(apipop$awards)
api_contrasts <- list(c("api00", "stype", "E", "H"), c("comp_imp", "stype", "E", "M"))
low <- function(p) setNames(p, c(names(p)[1], "n"))
clus1_case <- function(k) c(list(margins = list(stype = low(stype_pop), sch_wide = low(wide_pop))), raking_case(k, designs[[k]], list(~stype, ~sch_wide), list(stype_pop, wide_pop),
  ~stype + sch_wide, c("awards", "comp_imp"), c("api00", "enroll"), list("stype"), list(c("awards", "comp_imp")), api_contrasts))
strat_case <- function(k) c(list(margins = list(sch_wide = low(wide_pop), awards = low(award_pop))), raking_case(k, designs[[k]], list(~sch_wide, ~awards), list(wide_pop, award_pop),
  ~sch_wide + awards, c("comp_imp"), c("api00", "enroll"), list("stype"), list(c("awards", "comp_imp")), api_contrasts))
sex_pop <- with(subset(margins_csv, margin == "sex"), data.frame(town, sex = category, Freq = n))
age_pop <- with(subset(margins_csv, margin == "age3"), data.frame(town, age3 = category, Freq = n))
town_case <- function(d, jkn = TRUE, k = "towns") raking_case(k, d, list(~town + sex, ~town + age3), list(sex_pop, age_pop), ~town * sex + town * age3,
  c("y1", "y2", "y3"), character(), list("town", c("town", "sex"), "sex", "biz"), list(c("y1", "y2"), c("y1", "y3")),
  c(list(c("y1", "sex", "f", "m"), c("y1", "biz", "1", "0"), c("y1", "town", "t4", "t1")), lapply(towns, function(t) c("y1", "town", t, "rest"))), jkn = jkn)
both <- function(p, key) do.call(rbind, lapply(1:2, function(w) data.frame(wave = w, p)))   # both waves are raked to the same county
spec$towns_equal <- within(spec$towns, { data$one <- 25; w <- "one" })
designs$towns_equal <- build(spec$towns_equal)
answers$raking <- list(apiclus1 = clus1_case("apiclus1"), apiclus1_nofpc = clus1_case("apiclus1_nofpc"), apistrat = strat_case("apistrat"), apistrat_nofpc = strat_case("apistrat_nofpc"),
  towns = town_case(designs$towns), towns_equal = town_case(designs$towns_equal, k = "towns_equal"),
  waves = raking_case("waves", designs$waves, list(~wave + town + sex, ~wave + town + age3), list(both(sex_pop), both(age_pop)), ~factor(wave) * town * sex + factor(wave) * town * age3,
    c("y1", "y2"), character(), list("wave", c("wave", "town")), list(c("y1", "y2")), list(c("y1", "sex", "f", "m")),
    changes = c(list(c("y1", "county"), c("y2", "county")), lapply(towns, function(t) c("y1", t)))))

# ---------------------------------------------------------------------------------------------------------------
# 7. Intervals: svyciprop(method = "beta") (n_eff x (t_{n-1} / t_{degf})^2) and plain Korn-Graubard limits at a given n_eff
# ---------------------------------------------------------------------------------------------------------------
beta_row <- function(k, y, where = NULL, level = .95, d = designs[[k]]) {
  inside <- if (is.null(where)) rep(TRUE, nrow(d)) else d$variables[[where[1]]] == where[2]
  d <- d[inside & !is.na(d$variables[[y]]), ]
  r <- svyciprop(reformulate(y), d, method = "beta", level = level); ci <- attr(r, "ci")
  data.frame(design = k, variable = y, by = if (is.null(where)) NA else where[1], domain = if (is.null(where)) NA else where[2], level = level, estimate = one(r),
    se = one(SE(r)), nrow_used = nrow(d), degf_used = degf(d), low = ci[[1]], high = ci[[2]])
}
answers$svyciprop_beta <- do.call(rbind, c(
  lapply(api_names, beta_row, "awards"), lapply(api_names, beta_row, "comp_imp"), lapply(c("E", "H", "M"), function(l) beta_row("apistrat", "awards", c("stype", l))),
  lapply(c("E", "H", "M"), function(l) beta_row("apiclus1", "comp_imp", c("stype", l))), list(beta_row("nhanes", "hi_chol"), beta_row("nhanes", "hi_chol", level = .998)),
  lapply(1:4, function(l) beta_row("nhanes", "hi_chol", c("race", l))), lapply(towns, function(t) beta_row("towns", "y1", c("town", t))),
  list(beta_row("towns", "y1"), beta_row("towns", "y3"), beta_row("staff", "y1"), beta_row("staff", "y1", c("town", "t1")), beta_row("staff", "y1", c("town", "t4"), .9))))

grid <- expand.grid(p = c(0, .01, .05, .137, .5, .8, .97, 1), n_eff = c(3, 10, 17.3, 30, 84.62, 250, 1000), alpha = c(.05, .1, .002))
kg_low  <- function(p, n, a) qbeta(a / 2, p * n, n - p * n + 1)
kg_high <- function(p, n, a) qbeta(1 - a / 2, p * n + 1, n - p * n)
answers$pooled_intervals <- data.frame(grid, low = with(grid, kg_low(p, n_eff, alpha)), high = with(grid, kg_high(p, n_eff, alpha)))

# ---------------------------------------------------------------------------------------------------------------
# 8. One-way ANOVA intraclass correlation, pooled within towns (unweighted), and the town intervals it gives
#    n0 = (N - sum_town sum_psu n_ij^2 / n_i) / (PSUs - towns);  rho = (MSB - MSW) / (MSB + (n0 - 1) MSW), never below 0 in use
# ---------------------------------------------------------------------------------------------------------------
icc_row <- function(y, data = towns_csv, name = "towns_sim") {
  x <- data[!is.na(data[[y]]), ]; x$y <- x[[y]]
  a <- summary(aov(y ~ factor(town) + factor(village), x))[[1]]
  n_i <- table(x$town); n_ij <- tapply(x$y, list(x$town, x$village), length)
  n0 <- (nrow(x) - sum(rowSums(n_ij^2, na.rm = TRUE) / n_i[rownames(n_ij)])) / a$Df[2]
  msb <- a$`Mean Sq`[2]; msw <- a$`Mean Sq`[3]
  data.frame(data = name, variable = y, n = nrow(x), towns = length(n_i), psus = sum(!is.na(n_ij)), ss_town = a$`Sum Sq`[1], ss_between = a$`Sum Sq`[2], df_between = a$Df[2], ms_between = msb,
    ss_within = a$`Sum Sq`[3], df_within = a$Df[3], ms_within = msw, n0 = n0, rho = (msb - msw) / (msb + (n0 - 1) * msw))
}
wave2 <- subset(waves_csv, wave == 2)
answers$icc <- rbind(icc_row("y1"), icc_row("y2"), icc_row("y3"), icc_row("biz"), icc_row("y1", wave2, "waves_sim wave 2"), icc_row("y2", wave2, "waves_sim wave 2"), icc_row("y3", wave2, "waves_sim wave 2"))
# Definitions, section 3: n over Kish's factor and 1 + (m* - 1) rho, m* = sum(W_v^2) / sum(w^2); a town whose F, scaled for the
# pooled rho, has p < .25 takes max(own, pooled) and the squared ratio of t quantiles at the level that is asked.
town_interval <- function(y, town, weighting, level) {
  w_all <- if (weighting == "base") towns_csv$w else unclass(answers$raking$towns$weights)
  ok <- towns_csv$town == town & !is.na(towns_csv[[y]]); w <- w_all[ok]; n <- sum(ok); v <- towns_csv$village[ok]; m <- length(unique(v)); alpha <- 1 - level
  pooled <- max(0, answers$icc$rho[answers$icc$data == "towns_sim" & answers$icc$variable == y])
  a <- summary(aov(y ~ factor(v), data.frame(y = towns_csv[[y]][ok], v = v)))[[1]]; f <- a$`F value`[1]
  n0 <- (n - sum(table(v)^2) / n) / (m - 1); own <- max(0, (a$`Mean Sq`[1] - a$`Mean Sq`[2]) / (a$`Mean Sq`[1] + (n0 - 1) * a$`Mean Sq`[2]))
  p_value <- pf(f / (1 + n0 * pooled / (1 - pooled)), m - 1, n - m, lower.tail = FALSE); is_own <- p_value < .25
  rho <- if (is_own) max(own, pooled) else pooled; shrink <- if (is_own) (qt(1 - alpha / 2, n - 1) / qt(1 - alpha / 2, m - 1))^2 else 1
  kish <- n * sum(w^2) / sum(w)^2; take <- sum(tapply(w, v, sum)^2) / sum(w^2); p <- sum(w * towns_csv[[y]][ok]) / sum(w); n_eff <- n / (kish * (1 + (take - 1) * rho)) * shrink
  data.frame(variable = y, town = town, weights = weighting, level = level, n = n, psus = m, kish = kish, take = take, rho = pooled, own_rho = own, p = p_value, is_own_rho = is_own, n_eff = n_eff, estimate = p,
    low = kg_low(p, n_eff, alpha), high = kg_high(p, n_eff, alpha), wrong_n_eff_mean_take = n / (kish * (1 + (n / m - 1) * pooled)))
}
cases <- expand.grid(town = towns, y = c("y1", "y2", "y3"), weighting = c("base", "raked"), level = c(.95, .998))
answers$town_intervals <- do.call(rbind, with(cases, Map(town_interval, as.character(y), as.character(town), as.character(weighting), level)))
rownames(answers$town_intervals) <- NULL

# ---------------------------------------------------------------------------------------------------------------
# 9. Waiting times: svykm on a weighted clustered design, plain Kaplan-Meier, competing causes
# ---------------------------------------------------------------------------------------------------------------
at <- function(s, times, what) vapply(times, function(t) { i <- which(s$time <= t); if (length(i)) what[max(i)] else NA_real_ }, 0)
km_rows <- function(k, group, d, surv, times) {
  d <- update(d, .s1 = surv[, 1], .s2 = surv[, 2]); a <- svykm(Surv(.s1, .s2) ~ 1, d, se = FALSE); b <- svykm(Surv(.s1, .s2) ~ 1, d, se = TRUE)
  ok <- which(vapply(times, function(t) any(b$time <= t), TRUE)); lo <- hi <- rep(NA_real_, length(times))
  if (length(ok)) { ci <- confint(b, parm = times[ok]); lo[ok] <- ci[, 1]; hi[ok] <- ci[, 2] }
  data.frame(design = k, group = group, time = times, survival = at(a, times, a$surv), survival_exp = at(b, times, b$surv), varlog = at(b, times, b$varlog), low_exp = lo, high_exp = hi, n = nrow(d), degf = degf(d)) }
pbc_design <- svydesign(id = ~1, prob = ~randprob, strata = ~edema, data = pbc_csv)
calls_design <- svydesign(id = ~cluster, strata = ~town, weights = ~w, data = calls_csv, nest = TRUE)
calls_plain  <- svydesign(id = ~cluster, weights = ~1, data = calls_csv)
pbc_times <- c(100, 500, 1000, 2000, 3000, 4000); call_times <- c(0, 1, 2, 3, 5, 10, 20)
km_sub <- function(k, d, v, l, ev) { i <- d$variables[[v]] == l; x <- d[i, ]; km_rows(k, l, x, cbind(x$variables$time_wd, ev(x$variables$event)), call_times) }
any_end <- function(e) as.numeric(e > 0); closed <- function(e) as.numeric(e == 1)
with_event <- function(x, e) data.frame(event = e, x)
answers$km_survey <- rbind(
  with_event(km_rows("pbc", NA, pbc_design, cbind(pbc_csv$time, as.numeric(pbc_csv$status > 0)), pbc_times), "status > 0"),
  with_event(km_rows("calls", NA, calls_design, cbind(calls_csv$time_wd, any_end(calls_csv$event)), call_times), "event > 0"),
  with_event(km_rows("calls", NA, calls_design, cbind(calls_csv$time_wd, closed(calls_csv$event)), call_times), "event == 1"),
  with_event(km_rows("calls_plain", NA, calls_plain, cbind(calls_csv$time_wd, closed(calls_csv$event)), call_times), "event == 1"),
  do.call(rbind, lapply(c("12345", "grid"), function(l) with_event(km_sub("calls", calls_design, "channel", l, closed), "event == 1"))),
  do.call(rbind, lapply(towns, function(l) with_event(km_sub("calls", calls_design, "town", l, closed), "event == 1"))))
answers$km_designs <- list(pbc = "pbc.csv: id 1, strata edema, weight 1/randprob, no fpc", calls = "calls_sim.csv: strata town, PSU cluster, weight w, no fpc", calls_plain = "calls_sim.csv: no strata, PSU cluster, weight 1")

plain_km <- function(name, group, time, status, times) { s <- survfit(Surv(time, status) ~ 1); m <- summary(s, times = times, extend = TRUE)
  data.frame(data = name, group = group, time = times, n_risk = m$n.risk, survival = m$surv, se_greenwood = m$std.err, se_log_survival = at(s, times, s$std.err), low_log = m$lower, high_log = m$upper) }
answers$km_plain <- rbind(plain_km("pbc: status > 0", NA, pbc_csv$time, as.numeric(pbc_csv$status > 0), pbc_times), plain_km("mgus2: event > 0", NA, mgus2_csv$etime, as.numeric(mgus2_csv$event > 0), c(12, 60, 120, 240)),
  plain_km("calls_sim: event == 1", NA, calls_csv$time_wd, closed(calls_csv$event), call_times), do.call(rbind, lapply(towns, function(t) with(subset(calls_csv, town == t), plain_km("calls_sim: event == 1", t, time_wd, closed(event), call_times)))))

# cumulative incidence: Aalen-Johansen. se: infinitesimal jackknife of survfit, rows independent (weights used as they are).
# se_design: the same influence values through svyrecvar, crediting strata, PSUs and n/(n-1)
cif_rows <- function(name, time, event, w, times, design = NULL) {
  s <- survfit(Surv(time, factor(event, 0:2, c("censored", "one", "two"))) ~ 1, weights = w, influence = TRUE, id = seq_along(time), robust = TRUE)
  ii <- vapply(times, function(t) { i <- which(s$time <= t); if (length(i)) max(i) else NA_integer_ }, 0L)
  inf <- s$influence.pstate; if (is.list(inf) && !is.array(inf)) inf <- inf[[1]]
  do.call(rbind, lapply(c("one", "two"), function(cause) { j <- match(cause, s$states)
    se_design <- rep(NA_real_, length(times))
    if (!is.null(design)) for (q in seq_along(times)) if (!is.na(ii[q])) se_design[q] <- cif_design_se(inf, j, ii[q], s, design, w)
    data.frame(data = name, cause = if (cause == "one") 1 else 2, time = times, incidence = at(s, times, s$pstate[, j]), se = at(s, times, s$std.err[, j]), se_design = se_design) }))
}
# influence.pstate is subject x time x state; whether survfit already multiplied by the weights is settled by its own standard error
cif_design_se <- function(inf, j, i, s, design, w) {
  u <- inf[, match(s$time[i], s$time), j]
  if (dim(inf)[2] == length(s$time) + 1) u <- inf[, i + 1, j]
  own <- s$std.err[i, j]; cand <- list(u, u * w); err <- vapply(cand, function(v) abs(sqrt(sum(v^2)) - own), 0)
  stopifnot(min(err) < 1e-8 * max(own, 1e-3))
  sqrt(one(survey:::svyrecvar(matrix(cand[[which.min(err)]]), design$cluster, design$strata, design$fpc)))
}
answers$cumulative_incidence <- rbind(cif_rows("mgus2", mgus2_csv$etime, mgus2_csv$event, rep(1, nrow(mgus2_csv)), c(12, 60, 120, 240)), cif_rows("pbc", pbc_csv$time, pbc_csv$status, rep(1, nrow(pbc_csv)), pbc_times),
  cif_rows("calls_sim unweighted", calls_csv$time_wd, calls_csv$event, rep(1, nrow(calls_csv)), call_times, calls_plain), cif_rows("calls_sim weighted", calls_csv$time_wd, calls_csv$event, calls_csv$w, call_times, calls_design))

# ---------------------------------------------------------------------------------------------------------------
# 10. Exact tests, funnel limits, Holm
# ---------------------------------------------------------------------------------------------------------------
binom_row <- function(x, n, p0, level) { b <- binom.test(x, n, p0, conf.level = level)
  data.frame(x = x, n = n, p0 = p0, level = level, estimate = one(b$estimate), low = b$conf.int[1], high = b$conf.int[2], p_value = b$p.value,
    p_less = binom.test(x, n, p0, "less")$p.value, p_greater = binom.test(x, n, p0, "greater")$p.value) }
answers$binom_test <- do.call(rbind, Map(binom_row, c(0, 1, 3, 7, 12, 20, 45, 98, 99, 100, 36, 5), c(20, 20, 20, 18, 36, 20, 90, 100, 100, 100, 54, 5), c(.5, .1, .3, .5, .5, .95, .5, 1, .99, .95, .5, .5), c(rep(.95, 10), .99, .95)))

# fisher.test finds the odds ratio and its limits by uniroot with tolerance 1.2e-4: the *_tight columns solve the same equations to 1e-14
nch <- function(m, n, k) { support <- max(0, k - n):min(k, m); logdc <- dhyper(support, m, n, k, log = TRUE)
  dens <- function(lo) { z <- logdc + lo * support; z <- exp(z - max(z)); z / sum(z) }
  list(s = support, mean = function(lo) sum(support * dens(lo)), up = function(x, lo) sum(dens(lo)[support >= x]), down = function(x, lo) sum(dens(lo)[support <= x])) }
root <- function(f) exp(uniroot(f, c(-40, 40), tol = 1e-15, maxiter = 5000)$root)
fisher_row <- function(a, b, c, d, level = .95) { f <- fisher.test(matrix(c(a, b, c, d), 2, byrow = TRUE), conf.level = level); h <- nch(a + c, b + d, a + b); al <- (1 - level) / 2
  at_low <- a == min(h$s); at_high <- a == max(h$s)
  data.frame(a = a, b = b, c = c, d = d, level = level, p_value = f$p.value, odds_ratio = one(f$estimate), low = f$conf.int[1], high = f$conf.int[2],
    odds_ratio_tight = if (at_low) 0 else if (at_high) Inf else root(function(l) h$mean(l) - a),
    low_tight = if (at_low) 0 else root(function(l) h$up(a, l) - al), high_tight = if (at_high) Inf else root(function(l) h$down(a, l) - al)) }
answers$fisher_test <- rbind(fisher_row(3, 17, 10, 12), fisher_row(12, 5, 6, 13), fisher_row(8, 2, 1, 5), fisher_row(25, 29, 40, 14, .99), fisher_row(0, 10, 4, 8), fisher_row(9, 0, 5, 6), fisher_row(120, 80, 95, 130))

funnel <- do.call(rbind, lapply(c(.6, .85, .97), function(p0) expand.grid(p0 = p0, n = c(5, 12, 20, 50, 100, 400), level = c(.95, .998))))
spiegel <- function(q, n, p) { r <- qbinom(q, n, p); (r - (pbinom(r, n, p) - q) / (pbinom(r, n, p) - pbinom(r - 1, n, p))) / n }
answers$funnel_limits <- transform(funnel, q_low = qbinom((1 - level) / 2, n, p0), q_high = qbinom(1 - (1 - level) / 2, n, p0), low = qbinom((1 - level) / 2, n, p0) / n, high = qbinom(1 - (1 - level) / 2, n, p0) / n,
  low_interpolated = spiegel((1 - level) / 2, n, p0), high_interpolated = spiegel(1 - (1 - level) / 2, n, p0))

p_list <- list(spread = c(.001, .008, .039, .041, .042, .06, .074, .205, .212, .216, .222, .251, .269, .275, .34), ties = c(.01, .01, .02, .03, .03, .5), one = .04, large = c(.9, .4, .7), zero = c(0, .02, 1))
answers$holm <- lapply(p_list, function(p) list(p = I(p), adjusted = I(p.adjust(p, "holm"))))

# ---------------------------------------------------------------------------------------------------------------
# 11. Trend: quasibinomial logit of on_time on month
# ---------------------------------------------------------------------------------------------------------------
trend_rows <- function(name, d, x = "month") {
  g <- svyglm(reformulate(x, "on_time"), d, family = quasibinomial(), control = glm.control(epsilon = 1e-15, maxit = 100)); s <- coef(summary(g))
  data.frame(model = name, term = c("intercept", x), coefficient = s[, 1], se = s[, 2], t = s[, 3], p_value = s[, 4], df = g$df.residual, n = nrow(d), row.names = NULL) }
answers$trend <- rbind(trend_rows("weights w, strata town, PSU cluster", calls_design), trend_rows("weight 1, PSU cluster", calls_plain),
  trend_rows("weight 1, strata town, PSU cluster", svydesign(id = ~cluster, strata = ~town, weights = ~1, data = calls_csv, nest = TRUE)),
  trend_rows("weights w, strata town, PSU cluster, rows of t1", subset(calls_design, town == "t1")), trend_rows("weights w, strata town, PSU cluster, channel grid", subset(calls_design, channel == "grid")))

# ---------------------------------------------------------------------------------------------------------------
# 12. Write
# ---------------------------------------------------------------------------------------------------------------
out <- file.path(here, "answers.json")
writeLines(to_json(answers), out)
invisible(fromJSON(out))
cat("answers.json:", file.size(out), "bytes;", length(answers), "sections\n")
