-- Rules that several views share, and formulas that SQL lacks. Defined again whenever the warehouse is prepared.

CREATE OR REPLACE MACRO with_unparsed(p_neutral, p_unparsed) AS p_neutral + p_unparsed;
COMMENT ON MACRO with_unparsed IS 'Probability of neutral in an evaluation, where an answer that is no label counts as neutral, as in the study. The same rule in Python: learning/unparsed.py.';

CREATE OR REPLACE MACRO likeliest_label(p_negative, p_neutral, p_positive) AS
    CASE greatest(p_negative, p_neutral, p_positive)
        WHEN p_negative THEN 'negative'
        WHEN p_neutral THEN 'neutral'
        ELSE 'positive'
    END;
COMMENT ON MACRO likeliest_label IS 'The label with the largest probability; the first in the alphabet of equals.';

CREATE OR REPLACE MACRO is_unparsed(p_negative, p_neutral, p_positive, p_unparsed) AS
    p_unparsed > greatest(p_negative, p_neutral, p_positive);
COMMENT ON MACRO is_unparsed IS 'Whether no label is likelier than an answer that is none.';

CREATE OR REPLACE MACRO answered_label(p_negative, p_neutral, p_positive, p_unparsed, unparsed) AS
    CASE
        WHEN unparsed = 'neutral' THEN likeliest_label(p_negative, with_unparsed(p_neutral, p_unparsed), p_positive)
        WHEN is_unparsed(p_negative, p_neutral, p_positive, p_unparsed) THEN 'unparsed'
        ELSE likeliest_label(p_negative, p_neutral, p_positive)
    END;
COMMENT ON MACRO answered_label IS 'What a scored headline is called: its likeliest label, or unparsed; neutral in its place where the scoring asks for that. The same rule in Python: learning/unparsed.py.';

CREATE OR REPLACE MACRO answered_confidence(p_negative, p_neutral, p_positive, p_unparsed, unparsed) AS
    CASE answered_label(p_negative, p_neutral, p_positive, p_unparsed, unparsed)
        WHEN 'negative' THEN p_negative
        WHEN 'neutral' THEN p_neutral
        WHEN 'positive' THEN p_positive
        ELSE greatest(p_negative, p_neutral, p_positive)
    END;
COMMENT ON MACRO answered_confidence IS 'Probability of the label that a scored headline is called by, without p_unparsed; of the likeliest label where it is unparsed.';


CREATE OR REPLACE MACRO z_975() AS 1.959963984540054;
COMMENT ON MACRO z_975 IS 'The 97.5 % quantile of the standard normal distribution, for two-sided intervals at 95 %.';

CREATE OR REPLACE MACRO student_975(df) AS
    z_975()
    + (z_975() ** 3 + z_975()) / (4 * df)
    + (5 * z_975() ** 5 + 16 * z_975() ** 3 + 3 * z_975()) / (96 * df ** 2)
    + (3 * z_975() ** 7 + 19 * z_975() ** 5 + 17 * z_975() ** 3 - 15 * z_975()) / (384 * df ** 3);
COMMENT ON MACRO student_975 IS 'The 97.5 % quantile of Student''s t: its expansion around the normal one (Abramowitz and Stegun 1964, 26.7.5), exact to four digits from 20 degrees of freedom on.';

CREATE OR REPLACE MACRO wilson_low(share, n) AS
    (share + z_975() ** 2 / (2 * n) - z_975() * sqrt(share * (1 - share) / n + z_975() ** 2 / (4 * n ** 2)))
    / (1 + z_975() ** 2 / n);
COMMENT ON MACRO wilson_low IS 'Lower end of the 95 % score interval of a share of n (Wilson 1927).';

CREATE OR REPLACE MACRO wilson_high(share, n) AS 1 - wilson_low(1 - share, n);
COMMENT ON MACRO wilson_high IS 'Upper end of the 95 % score interval of a share of n (Wilson 1927).';

CREATE OR REPLACE MACRO newcombe_low(share, n, other_share, other_n) AS
    share - other_share
    - sqrt((share - wilson_low(share, n)) ** 2 + (wilson_high(other_share, other_n) - other_share) ** 2);
COMMENT ON MACRO newcombe_low IS 'Lower end of the 95 % interval of the difference of two independent shares: the hybrid score interval (Newcombe 1998, method 10), which is right at small n and at shares of 0 and 1.';

CREATE OR REPLACE MACRO newcombe_high(share, n, other_share, other_n) AS
    -newcombe_low(other_share, other_n, share, n);
COMMENT ON MACRO newcombe_high IS 'Upper end of the same interval.';

CREATE OR REPLACE MACRO squared_error_of_mean(variance, n) AS greatest(variance / n, (0.5 / n) ** 2);
COMMENT ON MACRO squared_error_of_mean IS 'Squared standard error of the mean of n values from 0 to 1 with this sample variance; that of half a value in n at least, because values that all are alike have not shown the rare other one.';

CREATE OR REPLACE MACRO welch_margin(variance, n, other_variance, other_n) AS
    sqrt(squared_error_of_mean(variance, n) + squared_error_of_mean(other_variance, other_n))
    * student_975(
        (squared_error_of_mean(variance, n) + squared_error_of_mean(other_variance, other_n)) ** 2
        / (
            squared_error_of_mean(variance, n) ** 2 / (n - 1)
            + squared_error_of_mean(other_variance, other_n) ** 2 / (other_n - 1)
        )
    );
COMMENT ON MACRO welch_margin IS 'Half the width of the 95 % interval of the difference of two independent means (Welch 1947).';

CREATE OR REPLACE MACRO chi_square_950(df) AS df * (1 - 2 / (9 * df) + 1.644853626951473 * sqrt(2 / (9 * df))) ** 3;
COMMENT ON MACRO chi_square_950 IS 'The 95 % quantile of the chi-square distribution, within 1 % (Wilson and Hilferty 1931).';

CREATE OR REPLACE MACRO psi_term(share, n, other_share, other_n) AS
    (greatest(share, 0.5 / n, 0.0001) - greatest(other_share, 0.5 / other_n, 0.0001))
    * ln(greatest(share, 0.5 / n, 0.0001) / greatest(other_share, 0.5 / other_n, 0.0001));
COMMENT ON MACRO psi_term IS 'What one bin adds to a population stability index, (p - q) ln(p / q); a share of nothing counts as half a headline, and as 0.0001 at least.';

CREATE OR REPLACE MACRO psi_noise(bins, n, other_n) AS chi_square_950(greatest(bins - 1, 1)) * (1 / n + 1 / other_n);
COMMENT ON MACRO psi_noise IS 'Population stability index that 95 of 100 pairs of samples of these sizes from one distribution stay below (Yurdakul 2018).';

CREATE OR REPLACE MACRO least_for_drift() AS 30;
COMMENT ON MACRO least_for_drift IS 'Headlines on each side below which nothing is said of drift: from 30 on, simulated intervals of a mean confidence hold the truth in 94 of 100 cases or more; at 10 and without a floor, in 40.';
