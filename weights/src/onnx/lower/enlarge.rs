//! Resize and Upsample: more rows and columns by whole factors, by the nearest number or between the two nearest. Anything else
//! that these operations can mean is told apart.

use trepang_api::{Op, Upsample, UpsampleMode};

use super::super::evaluate::axis;
use super::super::ir::LayerOp;
use super::super::value::{Act, Axis, GraphValue};
use super::{Lowering, NotLowered, Reading};

/// The largest factor.
const LARGEST_FACTOR: f32 = 64.0;

impl Lowering<'_> {
    pub(super) fn enlarge(&mut self, node: &Reading) -> Result<Vec<GraphValue>, NotLowered> {
        let act = self.act(node.input(0)?)?;
        if act.channels_last.is_some() {
            return Err("enlarges a flattened activation".into());
        }
        let mut factor = [1, 1];
        for (side, by) in self.factors(node, &act)? {
            match side {
                Axis::H => factor[0] = by,
                Axis::W => factor[1] = by,
                _ if by == 1 => {}
                _ => return Err("enlarges other sides than the height and the width".into()),
            }
        }
        if factor == [1, 1] {
            return Ok(vec![GraphValue::Act(act)]);
        }
        let up = Upsample { factor, mode: self.mode(node, factor)? };
        // Its output meets others of that size only where the sizes before it came out even.
        self.is_sized = true;
        let at = self.layers.add(LayerOp::Plain(Op::Upsample(up)), &[act.at], Some(node.at))?;
        Ok(vec![GraphValue::Act(Act { at, ..act })])
    }

    /// The factor of each side that the node names.
    fn factors(&self, node: &Reading, act: &Act) -> Result<Vec<(Axis, usize)>, NotLowered> {
        let is_newer = node.op() == "Resize" && self.graph.opset >= 11;
        let axes: Vec<Axis> = match node.node.ints("axes") {
            None => act.axes.clone(),
            Some(named) => named
                .iter()
                .map(|&at| Ok(act.axes[axis(at, act.axes.len())?]))
                .collect::<Result<_, String>>()?,
        };
        let scales = match node.node.attribute_named("scales") {
            Some(attribute) => attribute.floats.clone(),
            None => {
                node.constant(if is_newer { 2 } else { 1 })?.map_or_else(Vec::new, |scales| scales.floats())
            }
        };
        let scales: Vec<f32> = if scales.is_empty() {
            let sizes = node.ints("", 3)?.ok_or("has neither scales nor sizes")?;
            let dims = self.dims(&GraphValue::Act(act.clone()));
            let side = |axis: &Axis| act.axes.iter().position(|own| own == axis).map_or(1, |at| dims[at]);
            axes.iter().zip(&sizes).map(|(axis, &size)| size as f32 / side(axis) as f32).collect()
        } else {
            scales
        };
        if scales.len() != axes.len()
            || node.node.text("keep_aspect_ratio_policy").unwrap_or("stretch") != "stretch"
        {
            return Err("has factors for other sides than it has".into());
        }
        let whole = |scale: f32| {
            let is_whole = (1.0..=LARGEST_FACTOR).contains(&scale) && scale.fract() == 0.0;
            is_whole
                .then_some(scale as usize)
                .ok_or_else(|| format!("enlarges {scale} times: only whole factors are known"))
        };
        axes.into_iter().zip(scales).map(|(axis, scale)| Ok((axis, whole(scale)?))).collect()
    }

    /// The numbers between those of the input. Fails, with a clause, for places that are not those of [`UpsampleMode`].
    fn mode(&self, node: &Reading, factor: [usize; 2]) -> Result<UpsampleMode, NotLowered> {
        let text = |name: &str, default: &'static str| node.node.text(name).unwrap_or(default).to_owned();
        let (mode, is_newer) = (text("mode", "nearest"), node.op() == "Resize" && self.graph.opset >= 11);
        let place =
            text("coordinate_transformation_mode", if is_newer { "half_pixel" } else { "asymmetric" });
        let round = text("nearest_mode", if is_newer { "round_prefer_floor" } else { "floor" });
        if node.node.int("antialias").unwrap_or(0) != 0 {
            return Err("smooths what it enlarges (antialias)".into());
        }
        match mode.as_str() {
            "nearest" if factor.into_iter().all(|factor| is_repeated(&place, &round, factor)) => {
                Ok(UpsampleMode::Nearest)
            }
            "nearest" => Err(format!("takes the nearest numbers by {place} and {round}").into()),
            "linear" if matches!(place.as_str(), "half_pixel" | "pytorch_half_pixel") => {
                Ok(UpsampleMode::Bilinear)
            }
            "linear" => {
                Err(format!("takes numbers between others by {place}: only half_pixel is known").into())
            }
            other => Err(format!("enlarges by {other}: only nearest and linear are known").into()),
        }
    }
}

/// Whether the nearest number of each place is the one that the place is a repetition of.
fn is_repeated(place: &str, round: &str, factor: usize) -> bool {
    let by = factor as f32;
    (0..2 * factor).all(|at| {
        let at_input = match place {
            "asymmetric" => at as f32 / by,
            "half_pixel" | "pytorch_half_pixel" => (at as f32 + 0.5) / by - 0.5,
            "tf_half_pixel_for_nn" => (at as f32 + 0.5) / by,
            _ => return false,
        };
        let nearest = match round {
            "floor" => at_input.floor(),
            "ceil" => at_input.ceil(),
            "round_prefer_floor" => (at_input - 0.5).ceil(),
            "round_prefer_ceil" => (at_input + 0.5).floor(),
            _ => return false,
        };
        // Places before the first number are that number's.
        nearest.max(0.0) == (at / factor) as f32
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_that_repeat_a_number_are_known_by_trying() {
        for (place, round, factor, expected) in [
            ("asymmetric", "floor", 8, true),
            ("half_pixel", "round_prefer_floor", 4, true),
            ("tf_half_pixel_for_nn", "floor", 3, true),
            ("asymmetric", "round_prefer_floor", 2, true),
            ("asymmetric", "round_prefer_floor", 4, false),
            ("asymmetric", "ceil", 2, false),
            ("align_corners", "floor", 2, false),
        ] {
            assert_eq!(is_repeated(place, round, factor), expected, "{place} {round} {factor}");
        }
    }
}
