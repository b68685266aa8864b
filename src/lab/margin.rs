//! The margin of a class: how far its logit is above what it is held against. Not its probability: where that is nearly 1,
//! its derivative is rounding, and a class that wins by 75 looks like one that wins by 10.

/// The logits that a class is held against.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Against {
    /// One other class.
    Class(usize),
    /// All classes: the margin is then log p of the class, z - logsumexp(z).
    LogSumExp,
}

/// A class and what it is held against.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Margin {
    /// The class, as an index of the logits.
    pub class: usize,
    /// The other side. It stays the same whatever is taken out of the picture.
    pub against: Against,
}

impl Margin {
    /// The margin that these logits give.
    pub fn of(self, logits: &[f32]) -> f64 {
        let other = match self.against {
            Against::Class(rival) => f64::from(logits[rival]),
            Against::LogSumExp => log_sum_exp(logits),
        };
        f64::from(logits[self.class]) - other
    }

    /// The derivative of the margin with respect to each logit.
    pub fn cotangent(self, logits: &[f32]) -> Vec<f32> {
        let mut cotangent = match self.against {
            Against::Class(rival) => {
                let mut cotangent = vec![0.0; logits.len()];
                cotangent[rival] = -1.0;
                cotangent
            }
            Against::LogSumExp => {
                let total = log_sum_exp(logits);
                logits.iter().map(|&z| -(f64::from(z) - total).exp() as f32).collect()
            }
        };
        cotangent[self.class] += 1.0;
        cotangent
    }
}

fn log_sum_exp(logits: &[f32]) -> f64 {
    let largest = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let sum: f64 = logits.iter().map(|&z| f64::from(z - largest).exp()).sum();
    f64::from(largest) + sum.ln()
}

/// The class with the highest logit but for `class`; none where there is no other.
pub fn best_rival(class: usize, logits: &[f32]) -> Option<usize> {
    let others = (0..logits.len()).filter(|&other| other != class);
    others.reduce(|best, other| if logits[other] > logits[best] { other } else { best })
}

/// The place of a class among the logits, counted from 1: one more than the classes that have a higher logit.
pub fn rank(class: usize, logits: &[f32]) -> usize {
    1 + logits.iter().filter(|&&other| other > logits[class]).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOGITS: [f32; 4] = [1.0, 3.0, -2.0, 2.5];

    #[test]
    fn the_rival_is_the_best_other_class() {
        assert_eq!((best_rival(1, &LOGITS), best_rival(0, &LOGITS)), (Some(3), Some(1)));
        assert_eq!(best_rival(0, &[1.0]), None);
        assert_eq!(
            LOGITS.map(|z| rank(LOGITS.iter().position(|&other| other == z).unwrap(), &LOGITS)),
            [3, 1, 4, 2]
        );
    }

    #[test]
    fn a_margin_against_all_is_the_logarithm_of_the_probability() {
        let margin = Margin { class: 1, against: Against::LogSumExp };
        let sum: f64 = LOGITS.iter().map(|&z| f64::from(z).exp()).sum();
        assert!((margin.of(&LOGITS) - (3_f64.exp() / sum).ln()).abs() < 1e-12);
        let far = Margin { class: 0, against: Against::LogSumExp }.of(&[1000.0, -1000.0]);
        assert!(far.abs() < 1e-12, "{far}");
    }

    #[test]
    fn cotangents_are_the_slopes_of_the_margin() {
        for against in [Against::Class(3), Against::LogSumExp] {
            let margin = Margin { class: 1, against };
            for (at, slope) in margin.cotangent(&LOGITS).into_iter().enumerate() {
                let moved = |by: f32| {
                    let mut logits = LOGITS;
                    logits[at] += by;
                    margin.of(&logits)
                };
                let measured = (moved(0.125) - moved(-0.125)) / 0.25;
                assert!((measured - f64::from(slope)).abs() < 2e-3, "{against:?} {at}: {measured} {slope}");
            }
        }
    }
}
