//! Round numbers along an axis.

/// Multiples of 1, 2 or 5 times a power of ten between two numbers, about `count` of them, with the texts that tell them
/// apart.
pub(super) fn ticks(low: f64, high: f64, count: usize) -> Vec<(f64, String)> {
    let span = high - low;
    if !span.is_finite() || span <= 0.0 {
        return Vec::new();
    }
    let rough = span / count.max(1) as f64;
    let power = rough.log10().floor() as i32;
    let unit = 10_f64.powi(power);
    let factor = [1.0, 2.0, 5.0, 10.0].into_iter().find(|factor| factor * unit >= rough).unwrap_or(10.0);
    let step = factor * unit;
    let digits = usize::try_from(-step.log10().floor() as i32).unwrap_or_default();
    let (first, last) = ((low / step).ceil() as i64, (high / step).floor() as i64);
    (first..=last)
        .map(|n| {
            let value = n as f64 * step;
            (value, format!("{value:.digits$}"))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(low: f64, high: f64) -> Vec<String> {
        ticks(low, high, 4).into_iter().map(|(_, text)| text).collect()
    }

    #[test]
    fn ticks_are_round_and_inside() {
        assert_eq!(texts(-0.3, 0.49), ["-0.2", "0.0", "0.2", "0.4"]);
        assert_eq!(texts(0.0, 100.0), ["0", "50", "100"]);
        assert_eq!(texts(0.001, 0.0031), ["0.001", "0.002", "0.003"]);
        assert!(texts(1.0, 1.0).is_empty() && texts(0.0, f64::NAN).is_empty());
    }
}
