-- Rules that several views share, and formulas that SQL lacks. Defined again whenever the warehouse is prepared.

CREATE OR REPLACE MACRO with_unparsed(p_neutral, p_unparsed) AS p_neutral + p_unparsed;
COMMENT ON MACRO with_unparsed IS 'Probability of neutral in an evaluation, where an answer that is not a label counts as neutral, as in the study. The same rule in Python: learning/study/unparsed.py.';

CREATE OR REPLACE MACRO likeliest_label(p_negative, p_neutral, p_positive) AS
    CASE greatest(p_negative, p_neutral, p_positive)
        WHEN p_negative THEN 'negative'
        WHEN p_neutral THEN 'neutral'
        ELSE 'positive'
    END;
COMMENT ON MACRO likeliest_label IS 'The label with the largest probability; the first in the alphabet if several are equal.';

CREATE OR REPLACE MACRO is_unparsed(p_negative, p_neutral, p_positive, p_unparsed) AS
    p_unparsed > greatest(p_negative, p_neutral, p_positive);
COMMENT ON MACRO is_unparsed IS 'Whether an answer that is not a label is likelier than every label.';

CREATE OR REPLACE MACRO answered_label(p_negative, p_neutral, p_positive, p_unparsed, unparsed) AS
    CASE
        WHEN unparsed = 'neutral' THEN likeliest_label(p_negative, with_unparsed(p_neutral, p_unparsed), p_positive)
        WHEN is_unparsed(p_negative, p_neutral, p_positive, p_unparsed) THEN 'unparsed'
        ELSE likeliest_label(p_negative, p_neutral, p_positive)
    END;
COMMENT ON MACRO answered_label IS 'The answer of a scored headline: its likeliest label, or unparsed, or neutral instead of unparsed where the scoring is set to that. The same rule in Python: learning/study/unparsed.py.';

CREATE OR REPLACE MACRO answered_confidence(p_negative, p_neutral, p_positive, p_unparsed, unparsed) AS
    CASE answered_label(p_negative, p_neutral, p_positive, p_unparsed, unparsed)
        WHEN 'negative' THEN p_negative
        WHEN 'neutral' THEN p_neutral
        WHEN 'positive' THEN p_positive
        ELSE greatest(p_negative, p_neutral, p_positive)
    END;
COMMENT ON MACRO answered_confidence IS 'Probability of the answered label of a scored headline, without p_unparsed; of the likeliest label where it is unparsed.';


CREATE OR REPLACE MACRO count_confusion(label, predicted) AS [
    count(*) FILTER (label = 'negative' AND predicted = 'negative'),
    count(*) FILTER (label = 'negative' AND predicted = 'neutral'),
    count(*) FILTER (label = 'negative' AND predicted = 'positive'),
    count(*) FILTER (label = 'neutral' AND predicted = 'negative'),
    count(*) FILTER (label = 'neutral' AND predicted = 'neutral'),
    count(*) FILTER (label = 'neutral' AND predicted = 'positive'),
    count(*) FILTER (label = 'positive' AND predicted = 'negative'),
    count(*) FILTER (label = 'positive' AND predicted = 'neutral'),
    count(*) FILTER (label = 'positive' AND predicted = 'positive')
]::DOUBLE[];
COMMENT ON MACRO count_confusion IS 'The confusion matrix of the rows of a group as a list of nine counts: the answers to negative, to neutral and to positive headlines, each in the order of the alphabet.';

CREATE OR REPLACE MACRO label_counts(counts) AS
    [counts[1] + counts[2] + counts[3], counts[4] + counts[5] + counts[6], counts[7] + counts[8] + counts[9]];
COMMENT ON MACRO label_counts IS 'How many headlines have each label, of a confusion matrix as returned by count_confusion.';

CREATE OR REPLACE MACRO answer_counts(counts) AS
    [counts[1] + counts[4] + counts[7], counts[2] + counts[5] + counts[8], counts[3] + counts[6] + counts[9]];
COMMENT ON MACRO answer_counts IS 'How often each label was answered, of a confusion matrix as returned by count_confusion.';

CREATE OR REPLACE MACRO f1_scores(counts) AS list_transform(
    range(1, 4),
    lambda label: coalesce(
        2 * counts[4 * label - 3] / nullif(label_counts(counts)[label] + answer_counts(counts)[label], 0), 0
    )
);
COMMENT ON MACRO f1_scores IS 'F1 of each label, of a confusion matrix as returned by count_confusion; 0 for a label that no headline has and no answer gives.';


CREATE OR REPLACE MACRO with_base(settings, revision) AS
    json_merge_patch(settings, json_object('base_model', json_object('name', revision, 'revision', NULL)));
COMMENT ON MACRO with_base IS 'The settings of a cell with its base model identified by its files, since their place or its name may differ in another run.';


CREATE OR REPLACE MACRO settings_but_course(settings) AS
    json_merge_patch(settings, '{"training": {"learning_rate": null, "epochs": null, "seed": null}}');
COMMENT ON MACRO settings_but_course IS 'The settings of a cell without learning rate, epochs and seed: the same for cells that differ only in these.';


CREATE OR REPLACE MACRO settings_but_seed(settings) AS json_merge_patch(settings, '{"training": {"seed": null}}');
COMMENT ON MACRO settings_but_seed IS 'The settings of a cell without its seed: the same for cells that differ only in that.';

CREATE OR REPLACE MACRO settings_but_epochs(settings) AS json_merge_patch(settings, '{"training": {"epochs": null}}');
COMMENT ON MACRO settings_but_epochs IS 'The settings of a cell without its epochs: the same for cells that differ only in that.';

CREATE OR REPLACE MACRO settings_but_shown(settings, what) AS json_merge_patch(settings, CASE what
    WHEN 'examples' THEN '{"prompt": {"examples": null, "examples_by": null, "examples_seed": null}}'
    ELSE '{"prompt": {"context": null}}'
END);
COMMENT ON MACRO settings_but_shown IS 'The settings of a cell without those of its examples, or of its context: the same for cells that differ only in these.';

CREATE OR REPLACE MACRO shows(settings, what) AS CASE what
    WHEN 'examples' THEN settings->>'$.prompt.examples' IS NOT NULL
    ELSE settings->>'$.prompt.context' IS NULL
END;
COMMENT ON MACRO shows IS 'Whether a cell with these settings shows examples, or a context where there is one; a setting that is not stored has its default.';


CREATE OR REPLACE MACRO in_reign(moment, reigned_from, reigned_until) AS
    moment >= reigned_from AND (reigned_until IS NULL OR moment < reigned_until);
COMMENT ON MACRO in_reign IS 'Whether a moment is in a reign, which begins at its first moment and ends before the first of the next one.';


CREATE OR REPLACE MACRO z_975() AS 1.959963984540054;
COMMENT ON MACRO z_975 IS 'The 97.5 % quantile of the standard normal distribution, for two-sided intervals at 95 %.';

CREATE OR REPLACE MACRO student_975(df) AS
    z_975()
    + (z_975() ** 3 + z_975()) / (4 * df)
    + (5 * z_975() ** 5 + 16 * z_975() ** 3 + 3 * z_975()) / (96 * df ** 2)
    + (3 * z_975() ** 7 + 19 * z_975() ** 5 + 17 * z_975() ** 3 - 15 * z_975()) / (384 * df ** 3);
COMMENT ON MACRO student_975 IS 'The 97.5 % quantile of Student''s t: its expansion around the normal one (Abramowitz and Stegun 1964, 26.7.5), exact to four digits from 20 degrees of freedom on.';

CREATE OR REPLACE MACRO score_low(share, n, z) AS
    (share + z ** 2 / (2 * n) - z * sqrt(share * (1 - share) / n + z ** 2 / (4 * n ** 2))) / (1 + z ** 2 / n);
COMMENT ON MACRO score_low IS 'Lower end of the score interval of a share of n, z standard errors wide (Wilson 1927). The same formula in Python: learning/study/intervals.py.';

CREATE OR REPLACE MACRO share_low(share, n) AS score_low(share, n, z_975());
COMMENT ON MACRO share_low IS 'Lower end of the 95 % interval of a share of n.';

CREATE OR REPLACE MACRO hits_low(hits, n) AS
    CASE hits WHEN 0 THEN 0.0::DOUBLE WHEN n THEN 0.05::DOUBLE ** (1 / n) ELSE share_low(hits / n, n) END;
COMMENT ON MACRO hits_low IS 'Lower end of the 95 % interval of a share, hits of n: the score interval, and where all are hits the exact one-sided bound. The same formula in Python: accuracy_interval of learning/study/intervals.py.';

CREATE OR REPLACE MACRO hits_high(hits, n) AS 1 - hits_low(n - hits, n);
COMMENT ON MACRO hits_high IS 'Upper end of the 95 % interval of a share, hits of n.';

CREATE OR REPLACE MACRO unlike_one(mean, variance, n) AS
    (n * (1 - mean::DOUBLE)) ** 2 / ((n - 1) * variance::DOUBLE + n * (1 - mean::DOUBLE) ** 2);
COMMENT ON MACRO unlike_one IS 'The effective number of n values from 0 to 1 that make up their distance from 1: (sum d)^2 / sum d^2 (Kish 1965), from their mean and sample variance.';

CREATE OR REPLACE MACRO variance_ratio(mean, variance, n) AS
    CASE
        WHEN mean <= 0 OR mean >= 1 THEN 1
        ELSE list_reduce(
            [
                least(variance / (mean * (1 - mean)), 1),
                least(unlike_one(mean, variance, n), unlike_one(1 - mean, variance, n))
            ],
            lambda ratio, misses: ratio + 3 / (misses + 3) * (1 - misses / n) ** 3 * (1 - ratio)
        )
    END;
COMMENT ON MACRO variance_ratio IS 'Variance of values from 0 to 1 over that of values of 0 and 1 with the same mean, drawn towards 1 where few values make up their distance from 0 or 1. The same rule in Python, with its reason: mean_interval of learning/study/intervals.py.';

CREATE OR REPLACE MACRO mean_low(mean, variance, n) AS
    score_low(mean, n / greatest(variance_ratio(mean, variance, n), 1e-9), student_975(n - 1));
COMMENT ON MACRO mean_low IS 'Lower end of the 95 % interval of the mean of n values from 0 to 1 with this sample variance: the score interval with an effective sample size.';

CREATE OR REPLACE MACRO difference_low(value, low, other_value, other_high) AS
    value - other_value - sqrt((value - low) ** 2 + (other_high - other_value) ** 2);
COMMENT ON MACRO difference_low IS 'Lower end of the 95 % interval of the difference of two independent figures, from the lower end of the one and the upper end of the other: valid at small n and at shares of 0 and 1 (Newcombe 1998, method 10, for shares; Zou and Donner 2008 for any figure).';

CREATE OR REPLACE MACRO chi_square_950(df) AS
    CASE WHEN df = 1 THEN 3.841458820694124 -- where the formula is 2.5 % too low
    ELSE df * (1 - 2 / (9 * df) + 1.644853626951473 * sqrt(2 / (9 * df))) ** 3 END;
COMMENT ON MACRO chi_square_950 IS 'The 95 % quantile of the chi-square distribution, within 1 % (Wilson and Hilferty 1931; exact at one degree of freedom).';

CREATE OR REPLACE MACRO psi_term(share, n, other_share, other_n) AS
    (greatest(share, 0.5 / n, 0.0001) - greatest(other_share, 0.5 / other_n, 0.0001))
    * ln(greatest(share, 0.5 / n, 0.0001) / greatest(other_share, 0.5 / other_n, 0.0001));
COMMENT ON MACRO psi_term IS 'What one bin adds to a population stability index, (p - q) ln(p / q); an empty bin counts as half a headline, and as at least 0.0001.';

CREATE OR REPLACE MACRO psi_noise(bins, n, other_n) AS chi_square_950(greatest(bins - 1, 1)) * (1 / n + 1 / other_n);
COMMENT ON MACRO psi_noise IS 'The population stability index below which 95 of 100 pairs of samples of these sizes from one distribution stay (Yurdakul 2018).';

CREATE OR REPLACE MACRO least_for_drift() AS 30;
COMMENT ON MACRO least_for_drift IS 'Least number of headlines on each side for a verdict on drift: with fewer, little is known about a rare answer.';
