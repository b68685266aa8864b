//! What a network was trained to see, as the user says it: `--input torch|tf|caffe|clip|inceptionv1|unit|255|MEAN/STD`,
//! with `:bgr` behind any of them.

use std::fmt;
use std::str::FromStr;

use trepang_api::Preprocess;

/// The means and deviations of CLIP, for R, G and B in 0..1, with the digits in which they are published.
#[allow(clippy::excessive_precision, reason = "the digits are those of the original")]
const CLIP: [[f32; 3]; 2] =
    [[0.481_454_66, 0.457_827_5, 0.408_210_73], [0.268_629_54, 0.261_302_58, 0.275_777_11]];

/// The reason why a text is no input.
const EXPECTED: &str = "torch, tf, caffe, clip, inceptionv1, unit, 255 or MEAN/STD is needed, each three numbers with \
                        commas, as in 0.5,0.5,0.5/0.25,0.25,0.25; :bgr may follow";

/// The map from a picture to a network's input space. The numbers of every scale belong to R, G and B, in this order,
/// also with [`bgr`](Self::bgr).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct InputFormat {
    /// The scale of the colours.
    pub scale: InputScale,
    /// Whether the first kernel of the file takes blue first. Caffe's always does.
    pub bgr: bool,
}

/// The scale of the colours that a network was trained on, from x in 0..255.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum InputScale {
    /// (x / 255 - mean) / std of ImageNet: PyTorch's.
    Torch,
    /// x / 127.5 - 1: TensorFlow's.
    Tf,
    /// x minus Caffe's means, blue first.
    Caffe,
    /// (x / 255 - mean) / std of CLIP.
    Clip,
    /// x - 117: that of `inception_v1`, the network of Lucid.
    InceptionV1,
    /// x / 255.
    Unit,
    /// The levels x as they are.
    Levels,
    /// (x / 255 - mean) / std.
    Normalized {
        /// For R, G and B in 0..1.
        mean: [f32; 3],
        /// For R, G and B in 0..1; no number is 0.
        std: [f32; 3],
    },
}

impl InputFormat {
    /// The first node of a network that was trained so.
    pub fn preprocess(self) -> Preprocess {
        let scaled = |scale| Preprocess { scale: [scale; 3], shift: [0.0; 3], trained_on_bgr: false };
        let preprocess = match self.scale {
            InputScale::Torch => Preprocess::imagenet(),
            InputScale::Tf => Preprocess::minus_one_to_one(),
            InputScale::Caffe => Preprocess::caffe(),
            InputScale::Clip => Preprocess::normalize(CLIP[0], CLIP[1]),
            InputScale::InceptionV1 => Preprocess::inception_v1(),
            InputScale::Unit => scaled(1.0),
            InputScale::Levels => scaled(255.0),
            InputScale::Normalized { mean, std } => Preprocess::normalize(mean, std),
        };
        Preprocess { trained_on_bgr: preprocess.trained_on_bgr || self.bgr, ..preprocess }
    }

    /// The map in words.
    pub fn description(self) -> String {
        let order = if self.preprocess().trained_on_bgr { "BGR" } else { "RGB" };
        let normalized = |[mean, std]: [[f32; 3]; 2]| {
            format!("{order} of 0..1 minus {}, over {} (for R, G, B)", list(mean, ", "), list(std, ", "))
        };
        match self.scale {
            InputScale::Torch => normalized([[0.485, 0.456, 0.406], [0.229, 0.224, 0.225]]),
            InputScale::Tf => format!("{order} of 0..255 / 127.5 - 1"),
            InputScale::Caffe => "BGR of 0..255 minus 103.939, 116.779, 123.68 (Caffe's)".into(),
            InputScale::Clip => normalized(CLIP),
            InputScale::InceptionV1 => format!("{order} of 0..255 minus 117"),
            InputScale::Unit => format!("{order} of 0..1"),
            InputScale::Levels => format!("{order} of 0..255"),
            InputScale::Normalized { mean, std } => normalized([mean, std]),
        }
    }
}

fn list(numbers: [f32; 3], separator: &str) -> String {
    numbers.map(|number| number.to_string()).join(separator)
}

impl fmt::Display for InputFormat {
    /// Writes the text that is parsed to the same input.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.scale {
            InputScale::Torch => f.write_str("torch"),
            InputScale::Tf => f.write_str("tf"),
            InputScale::Caffe => f.write_str("caffe"),
            InputScale::Clip => f.write_str("clip"),
            InputScale::InceptionV1 => f.write_str("inceptionv1"),
            InputScale::Unit => f.write_str("unit"),
            InputScale::Levels => f.write_str("255"),
            InputScale::Normalized { mean, std } => write!(f, "{}/{}", list(mean, ","), list(std, ",")),
        }?;
        f.write_str(if self.bgr { ":bgr" } else { "" })
    }
}

impl FromStr for InputFormat {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let (scale, bgr) = match text.strip_suffix(":bgr") {
            Some(scale) => (scale, true),
            None => (text, false),
        };
        let scale = match scale {
            "torch" => InputScale::Torch,
            "tf" => InputScale::Tf,
            "caffe" => InputScale::Caffe,
            "clip" => InputScale::Clip,
            "inceptionv1" => InputScale::InceptionV1,
            "unit" => InputScale::Unit,
            "255" => InputScale::Levels,
            _ => normalized(scale)?,
        };
        Ok(Self { scale, bgr: bgr && scale != InputScale::Caffe })
    }
}

/// Parses three means and three deviations, `MEAN/STD`.
fn normalized(text: &str) -> Result<InputScale, String> {
    let (mean, std) = text.split_once('/').ok_or(EXPECTED)?;
    let (mean, std) = (three(mean)?, three(std)?);
    let largest = mean.iter().fold(0.0_f32, |largest, number| largest.max(number.abs()));
    if std.iter().any(|number| *number <= 0.0) {
        return Err("no deviation may be 0 or less; MEAN comes first, then STD".into());
    }
    if largest > 1.0 {
        return Err("MEAN and STD are for pixels in 0..1: divide those for 0..255 by 255".into());
    }
    Ok(InputScale::Normalized { mean, std })
}

fn three(text: &str) -> Result<[f32; 3], String> {
    let numbers: Option<Vec<f32>> = text
        .split(',')
        .map(|part| part.trim().parse().ok().filter(|number: &f32| number.is_finite()))
        .collect();
    numbers.and_then(|numbers| numbers.try_into().ok()).ok_or_else(|| EXPECTED.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> InputFormat {
        text.parse().unwrap()
    }

    #[test]
    fn an_input_is_read_back_as_it_is_written() {
        for text in
            ["torch", "tf", "caffe", "clip:bgr", "inceptionv1", "unit", "255:bgr", "0.5,0.4,0.1/0.25,0.25,1"]
        {
            assert_eq!(parsed(text).to_string(), text);
        }
        assert_eq!(parsed("caffe:bgr"), parsed("caffe"), "Caffe's is BGR already");
    }

    #[test]
    fn three_numbers_mean_what_the_names_of_their_values_mean() {
        let same = |a: &str, b: &str| assert_eq!(parsed(a).preprocess(), parsed(b).preprocess());
        same("0.485, 0.456, 0.406/0.229,0.224,0.225:bgr", "torch:bgr");
        same("0.48145466,0.4578275,0.40821073/0.26862954,0.26130258,0.27577711", "clip");
        same("0,0,0/1,1,1", "0,0,0/1.0,1.0,1.0");
        assert_eq!(parsed("unit").preprocess().scale, parsed("0,0,0/1,1,1").preprocess().scale);
        assert_eq!(parsed("255").preprocess().scale, [255.0; 3]);
    }

    #[test]
    fn what_is_no_input_is_refused_with_what_is_needed() {
        for text in ["", "imagenet", "1,2/3,4", "0.5,0.5,0.5", "nan,0,0/1,1,1", "torch:rgb", ":bgr"] {
            assert!(text.parse::<InputFormat>().unwrap_err().contains("three numbers"), "{text}");
        }
        assert!("0,0,0/1,0,1".parse::<InputFormat>().unwrap_err().contains("deviation"));
        assert!("123,116,103/58,57,57".parse::<InputFormat>().unwrap_err().contains("divide"));
    }
}
