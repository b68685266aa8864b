//! A third backend, written from `GUIDE.md` alone: it proves that the guide suffices. Its tensors are plain
//! `f64` vectors, so that it shares nothing with the reference. Not for speed.

use std::{collections::BTreeMap, iter};

use trepang_api::{
    ActivationCurve, Array, Backend, Conv2d, Device, DeviceKind, Error, Interpreter, Kernels, Linear, Lrn,
    Model, Network, Node, Op, Padding, Pool, Preprocess, PullBack, ReluGradient, Result, Upsample,
    UpsampleMode, Weights, find_device,
};

const NAME: &str = "third";

/// The shape of a tensor, or a place in it: image, channel, row, column.
type Shape = [usize; 4];

/// An output and its pull-back.
type Step<'a> = (Tensor, PullBack<'a, Tensor>);

#[derive(Clone, Debug)]
struct Tensor {
    shape: Shape,
    data: Vec<f64>,
}

impl Tensor {
    fn from_fn(shape: Shape, value: impl Fn(Shape) -> f64) -> Self {
        let data = positions(shape).map(value).collect();
        Self { shape, data }
    }

    fn offset(&self, [image, channel, row, column]: Shape) -> usize {
        let [_, channels, height, width] = self.shape;
        ((image * channels + channel) * height + row) * width + column
    }

    fn get(&self, at: Shape) -> f64 {
        self.data[self.offset(at)]
    }

    /// The values of all channels at one position.
    fn channels(&self, [image, _, row, column]: Shape) -> impl Iterator<Item = f64> {
        (0..self.shape[1]).map(move |channel| self.get([image, channel, row, column]))
    }
}

fn grid([rows, columns]: [usize; 2]) -> impl Iterator<Item = [usize; 2]> {
    (0..rows).flat_map(move |row| (0..columns).map(move |column| [row, column]))
}

/// All places of a tensor in the order of its data.
fn positions([images, channels, height, width]: Shape) -> impl Iterator<Item = Shape> {
    grid([images, channels]).flat_map(move |[image, channel]| {
        grid([height, width]).map(move |[row, column]| [image, channel, row, column])
    })
}

fn failure(message: String) -> Error {
    let backend = NAME.into();
    Error::Backend { backend, message }
}

fn widened(array: &Array) -> Vec<f64> {
    array.data().iter().copied().map(f64::from).collect()
}

fn step<'a>(y: Tensor, pull_back: impl FnOnce(&Tensor) -> Tensor + 'a) -> Step<'a> {
    (y, Box::new(move |dy: Tensor| Ok(vec![pull_back(&dy)])))
}

/// Any operation whose outputs are sums of `factor * x[place]`: its terms give the pull-back as well.
fn affine<'a, I: Iterator<Item = (f64, Shape)>>(
    x: &Tensor,
    shape: Shape,
    bias: impl Fn(Shape) -> f64,
    terms: impl Fn(Shape) -> I + 'a,
) -> Step<'a> {
    let y = Tensor::from_fn(shape, |at| {
        let products = terms(at).map(|(factor, place)| factor * x.get(place));
        bias(at) + products.sum::<f64>()
    });
    let input = x.shape;
    step(y, move |dy| {
        let mut dx = Tensor::from_fn(input, |_| 0.0);
        for at in positions(dy.shape) {
            for (factor, place) in terms(at) {
                let offset = dx.offset(place);
                dx.data[offset] += factor * dy.get(at);
            }
        }
        dx
    })
}

fn preprocess(op: &Preprocess, x: &Tensor) -> Step<'static> {
    let (scale, shift) = (op.scale.map(f64::from), op.shift.map(f64::from));
    let terms = move |at: Shape| iter::once((scale[at[1]], at));
    affine(x, x.shape, |at| shift[at[1]], terms)
}

/// Both rectifiers: their outputs alone tell which gradients pass.
fn rectify(x: &Tensor, limit: f64, relu: ReluGradient) -> Step<'static> {
    let y = Tensor::from_fn(x.shape, |at| x.get(at).clamp(0.0, limit));
    let kept = y.clone();
    step(y, move |dy| {
        let passed = |at: Shape| if kept.get(at) > 0.0 && kept.get(at) < limit { dy.get(at) } else { 0.0 };
        let something_passed =
            |image: usize| positions(dy.shape).any(|at| at[0] == image && passed(at) != 0.0);
        let true_gradient: Vec<bool> =
            (0..dy.shape[0]).map(|image| relu == ReluGradient::True || something_passed(image)).collect();
        Tensor::from_fn(dy.shape, |at| match (true_gradient[at[0]], kept.get(at)) {
            (true, _) => passed(at),
            (false, y) if y <= 0.0 => dy.get(at).max(0.0),
            (false, y) if y >= limit => dy.get(at).min(0.0),
            (false, _) => 0.0,
        })
    })
}

/// The shape that windows over `shape` give, with its channels; and for a place there the cells of its window
/// that lie inside the image, row-major: index in the kernel, place in the image.
fn windows(
    shape: Shape,
    kernel: [usize; 2],
    stride: [usize; 2],
    padding: &Padding,
) -> (Shape, impl Fn(Shape) -> Vec<(usize, Shape)> + Copy + use<>) {
    let [images, channels, height, width] = shape;
    let [top, left] = [padding.top, padding.left];
    let rows = (height + top + padding.bottom - kernel[0]) / stride[0] + 1;
    let columns = (width + left + padding.right - kernel[1]) / stride[1] + 1;
    let cells = move |[image, channel, row, column]: Shape| {
        let cell = |[i, j]: [usize; 2]| {
            let y = (row * stride[0] + i).checked_sub(top)?;
            let x = (column * stride[1] + j).checked_sub(left)?;
            let inside = y < height && x < width;
            inside.then_some((i * kernel[1] + j, [image, channel, y, x]))
        };
        grid(kernel).filter_map(cell).collect::<Vec<_>>()
    };
    ([images, channels, rows, columns], cells)
}

fn max_pool(pool: &Pool, x: &Tensor) -> Step<'static> {
    let (shape, cells) = windows(x.shape, pool.kernel, pool.stride, &pool.padding);
    let kept = x.clone();
    let terms = move |at: Shape| {
        let places = cells(at).into_iter().map(|(_, place)| place);
        let largest = places.reduce(|a, b| if kept.get(b) > kept.get(a) { b } else { a });
        largest.map(|place| (1.0, place)).into_iter()
    };
    affine(x, shape, |_| 0.0, terms)
}

fn average_pool(pool: &Pool, count_padding: bool, x: &Tensor) -> Step<'static> {
    let (shape, cells) = windows(x.shape, pool.kernel, pool.stride, &pool.padding);
    let area = pool.kernel[0] * pool.kernel[1];
    let terms = move |at: Shape| {
        let inside = cells(at);
        let number = if count_padding { area } else { inside.len() };
        inside.into_iter().map(move |(_, place)| (1.0 / number as f64, place))
    };
    affine(x, shape, |_| 0.0, terms)
}

fn global_average(x: &Tensor) -> Step<'static> {
    let [images, channels, height, width] = x.shape;
    let share = 1.0 / (height * width) as f64;
    let terms = move |[image, channel, ..]: Shape| {
        grid([height, width]).map(move |[row, column]| (share, [image, channel, row, column]))
    };
    affine(x, [images, channels, 1, 1], |_| 0.0, terms)
}

fn sum(inputs: &[&Tensor], shape: Shape) -> Step<'static> {
    let y = Tensor::from_fn(shape, |at| inputs.iter().map(|x| x.get(at)).sum());
    let count = inputs.len();
    (y, Box::new(move |dy: Tensor| Ok(vec![dy; count])))
}

/// The second input may have one number a channel: its place for a place of the first.
fn multiply(a: &Tensor, b: &Tensor) -> Step<'static> {
    let (first, second) = (a.clone(), b.clone());
    let place = move |[image, channel, row, column]: Shape| match second.shape {
        [_, _, 1, 1] => [image, channel, 0, 0],
        _ => [image, channel, row, column],
    };
    let (y, shape) = (Tensor::from_fn(a.shape, |at| a.get(at) * b.get(place(at))), b.shape);
    let second = b.clone();
    let pull_back = move |dy: Tensor| {
        let mut db = Tensor::from_fn(shape, |_| 0.0);
        for at in positions(dy.shape) {
            let offset = db.offset(place(at));
            db.data[offset] += first.get(at) * dy.get(at);
        }
        let da = Tensor::from_fn(dy.shape, |at| second.get(place(at)) * dy.get(at));
        Ok(vec![da, db])
    };
    (y, Box::new(pull_back))
}

fn unary(curve: ActivationCurve, x: &Tensor) -> Step<'static> {
    let kept = x.clone();
    let y = Tensor::from_fn(x.shape, |at| curve.value(x.get(at)));
    step(y, move |dy| Tensor::from_fn(dy.shape, |at| curve.slope(kept.get(at)) * dy.get(at)))
}

/// The derivative by its definition: of every output with respect to every channel of the position.
fn lrn(op: &Lrn, x: &Tensor) -> Step<'static> {
    let (beta, factor) = (f64::from(op.beta), f64::from(op.alpha) / op.size as f64);
    let (bias, half, kept) = (f64::from(op.bias), op.size / 2, x.clone());
    let sum = move |x: &Tensor, [image, channel, row, column]: Shape| {
        let near =
            x.channels([image, 0, row, column]).enumerate().filter(|(k, _)| k.abs_diff(channel) <= half);
        bias + factor * near.map(|(_, x)| x * x).sum::<f64>()
    };
    let y = Tensor::from_fn(x.shape, |at| x.get(at) * sum(x, at).powf(-beta));
    step(y, move |dy| {
        Tensor::from_fn(dy.shape, |at| {
            let [image, i, row, column] = at;
            let slope = |c: usize| {
                let of = [image, c, row, column];
                let own = if c == i { sum(&kept, of).powf(-beta) } else { 0.0 };
                let near = if c.abs_diff(i) <= half { 2.0 * factor * kept.get(at) } else { 0.0 };
                own - beta * kept.get(of) * sum(&kept, of).powf(-beta - 1.0) * near
            };
            (0..dy.shape[1]).map(|c| slope(c) * dy.get([image, c, row, column])).sum()
        })
    })
}

fn layer_norm(epsilon: f32, x: &Tensor) -> Step<'static> {
    let [images, count, height, width] = x.shape;
    let means = move |x: &Tensor| {
        Tensor::from_fn([images, 1, height, width], |at| x.channels(at).sum::<f64>() / count as f64)
    };
    let of = |mean: &Tensor, [image, _, row, column]: Shape| mean.get([image, 0, row, column]);
    let mean = means(x);
    let centred = Tensor::from_fn(x.shape, |at| x.get(at) - of(&mean, at));
    let variance = means(&Tensor::from_fn(x.shape, |at| centred.get(at).powi(2)));
    let deviation = move |at| (of(&variance, at) + f64::from(epsilon)).sqrt();
    let y = Tensor::from_fn(x.shape, |at| centred.get(at) / deviation(at));
    let kept = y.clone();
    step(y, move |dy| {
        let along = means(&Tensor::from_fn(dy.shape, |at| dy.get(at) * kept.get(at)));
        let mean = means(dy);
        let slope = |at| dy.get(at) - of(&mean, at) - kept.get(at) * of(&along, at);
        Tensor::from_fn(dy.shape, |at| slope(at) / deviation(at))
    })
}

fn group_norm(groups: usize, epsilon: f32, x: &Tensor) -> Step<'static> {
    let (shape, rows) = (x.shape, x.shape[0] * groups);
    let flat = [rows, x.data.len() / rows, 1, 1];
    let (y, pull_back) = layer_norm(epsilon, &Tensor { shape: flat, ..x.clone() });
    let pull_back = move |dy: Tensor| {
        let dxs = pull_back(Tensor { shape: flat, ..dy })?.into_iter();
        Ok(dxs.map(|dx| Tensor { shape, ..dx }).collect())
    };
    (Tensor { shape, ..y }, Box::new(pull_back))
}

fn upsample(op: Upsample, x: &Tensor) -> Step<'static> {
    let ([images, channels, height, width], [down, right]) = (x.shape, op.factor);
    // The nearest two, with what each has of the number between them.
    let along = move |at: usize, factor: usize, side: usize| match op.mode {
        UpsampleMode::Nearest => [(at / factor, 1.0), (at / factor, 0.0)],
        UpsampleMode::Bilinear => {
            let place = ((at as f64 + 0.5) / factor as f64 - 0.5).clamp(0.0, (side - 1) as f64);
            [(place as usize, 1.0 - place.fract()), ((place as usize + 1).min(side - 1), place.fract())]
        }
    };
    let terms = move |[image, channel, y, x]: Shape| {
        grid([2, 2]).map(move |[i, j]| {
            let ((r, of_row), (c, of_column)) = (along(y, down, height)[i], along(x, right, width)[j]);
            (of_row * of_column, [image, channel, r, c])
        })
    };
    affine(x, [images, channels, height * down, width * right], |_| 0.0, terms)
}

fn channels(map: &[usize], x: &Tensor) -> Step<'static> {
    let ([images, _, height, width], map) = (x.shape, map.to_vec());
    let shape = [images, map.len(), height, width];
    let terms =
        move |[image, channel, row, column]: Shape| iter::once((1.0, [image, map[channel], row, column]));
    affine(x, shape, |_| 0.0, terms)
}

fn concat(inputs: &[&Tensor], [images, _, height, width]: Shape) -> Step<'static> {
    let counts: Vec<usize> = inputs.iter().map(|x| x.shape[1]).collect();
    let shape = [images, counts.iter().sum(), height, width];
    let mut data = Vec::new();
    for image in 0..images {
        for (x, count) in inputs.iter().zip(&counts) {
            let size = count * height * width;
            data.extend_from_slice(&x.data[image * size..][..size]);
        }
    }
    let pull_back: PullBack<'static, Tensor> = Box::new(move |dy: Tensor| {
        let cut = |index: usize| {
            let first: usize = counts[..index].iter().sum();
            let place = |[image, channel, row, column]: Shape| [image, first + channel, row, column];
            Tensor::from_fn([images, counts[index], height, width], |at| dy.get(place(at)))
        };
        Ok((0..counts.len()).map(cut).collect())
    });
    (Tensor { shape, data }, pull_back)
}

fn flatten(x: &Tensor) -> Step<'static> {
    let [images, channels, height, width] = x.shape;
    let terms = move |[image, cell, ..]: Shape| {
        let place = [image, cell / (height * width), cell / width % height, cell % width];
        iter::once((1.0, place))
    };
    affine(x, [images, channels * height * width, 1, 1], |_| 0.0, terms)
}

fn softmax(x: &Tensor) -> Step<'static> {
    let powers = Tensor::from_fn(x.shape, |at| {
        let largest = x.channels(at).fold(f64::NEG_INFINITY, f64::max);
        (x.get(at) - largest).exp()
    });
    let y = Tensor::from_fn(x.shape, |at| powers.get(at) / powers.channels(at).sum::<f64>());
    let kept = y.clone();
    step(y, move |dy| {
        Tensor::from_fn(dy.shape, |at| {
            let products = kept.channels(at).zip(dy.channels(at)).map(|(y, dy)| y * dy);
            kept.get(at) * (dy.get(at) - products.sum::<f64>())
        })
    })
}

/// The weights by name.
#[derive(Debug)]
struct Ops(BTreeMap<String, Vec<f64>>);

impl Ops {
    fn tensor(&self, name: &str) -> Result<&[f64]> {
        let found = self.0.get(name).map(Vec::as_slice);
        found.ok_or_else(|| failure(format!("no tensor {name}")))
    }

    fn convolve(&self, op: &Conv2d, x: &Tensor) -> Result<Step<'_>> {
        let weight = self.tensor(&format!("{}.weight", op.weights))?;
        let bias = self.tensor(&format!("{}.bias", op.weights))?;
        let ([images, _, rows, columns], cells) = windows(x.shape, op.kernel, op.stride, &op.padding);
        let area = op.kernel[0] * op.kernel[1];
        let (inputs, outputs) = (op.inputs / op.groups, op.outputs / op.groups);
        let terms = move |[image, output, row, column]: Shape| {
            (0..inputs).flat_map(move |input| {
                let block = (output * inputs + input) * area;
                let channel = output / outputs * inputs + input;
                let cells = cells([image, channel, row, column]).into_iter();
                cells.map(move |(cell, place)| (weight[block + cell], place))
            })
        };
        let shape = [images, op.outputs, rows, columns];
        Ok(affine(x, shape, |at| bias[at[1]], terms))
    }

    fn linear(&self, op: &Linear, x: &Tensor) -> Result<Step<'_>> {
        let weight = self.tensor(&format!("{}.weight", op.weights))?;
        let bias = self.tensor(&format!("{}.bias", op.weights))?;
        let inputs = op.inputs;
        let terms = move |[image, output, ..]: Shape| {
            (0..inputs).map(move |i| (weight[output * inputs + i], [image, i, 0, 0]))
        };
        Ok(affine(x, [x.shape[0], op.outputs, 1, 1], |at| bias[at[1]], terms))
    }
}

impl Kernels for Ops {
    type Tensor = Tensor;

    fn upload(&self, array: &Array) -> Result<Tensor> {
        let shape = Shape::try_from(array.shape()).map_err(|error| failure(error.to_string()))?;
        let data = widened(array);
        Ok(Tensor { shape, data })
    }

    fn download(&self, tensor: &Tensor) -> Result<Array> {
        let data = tensor.data.iter().map(|&value| value as f32).collect();
        Array::new(tensor.shape.to_vec(), data)
    }

    fn forward<'a>(&'a self, node: &'a Node, inputs: &[&Tensor], relu: ReluGradient) -> Result<Step<'a>> {
        let x = inputs.first().ok_or_else(|| failure("no inputs".into()))?;
        Ok(match &node.op {
            Op::Preprocess(op) => preprocess(op, x),
            Op::Conv2d(op) => self.convolve(op, x)?,
            Op::Relu => rectify(x, f64::INFINITY, relu),
            Op::Relu6 => rectify(x, 6.0, relu),
            Op::MaxPool(pool) => max_pool(pool, x),
            Op::AveragePool { pool, count_padding } => average_pool(pool, *count_padding, x),
            Op::GlobalAverage => global_average(x),
            Op::Add => sum(inputs, x.shape),
            Op::Multiply => multiply(x, inputs[1]),
            Op::Unary(curve) => unary(*curve, x),
            Op::Lrn(op) => lrn(op, x),
            Op::LayerNorm { epsilon } => layer_norm(*epsilon, x),
            Op::GroupNorm { groups, epsilon } => group_norm(*groups, *epsilon, x),
            Op::Upsample(op) => upsample(*op, x),
            Op::Channels(map) => channels(map, x),
            Op::Concat => concat(inputs, x.shape),
            Op::Flatten => flatten(x),
            Op::Linear(op) => self.linear(op, x)?,
            Op::Softmax => softmax(x),
        })
    }

    fn add(&self, a: &Tensor, b: &Tensor) -> Result<Tensor> {
        Ok(Tensor::from_fn(a.shape, |at| a.get(at) + b.get(at)))
    }
}

#[derive(Debug)]
struct Third;

impl Backend for Third {
    fn name(&self) -> &'static str {
        NAME
    }

    fn devices(&self) -> Vec<Device> {
        vec![Device::new(DeviceKind::Cpu, 0, "plain f64 vectors")]
    }

    fn threads(&self) -> usize {
        1
    }

    fn load(&self, network: &Network, weights: &Weights, device: &Device) -> Result<Box<dyn Model>> {
        find_device(self, &device.to_string())?;
        weights.check(network)?;
        let mut tensors = BTreeMap::new();
        for (name, _) in network.tensors() {
            tensors.extend(weights.get(&name).map(|array| (name, widened(array))));
        }
        Ok(Box::new(Interpreter::new(network.clone(), Ops(tensors))))
    }
}

#[test]
fn a_backend_written_from_the_guide_is_conformant() {
    for device in Third.devices() {
        assert_eq!(trepang_api::conformance::failures(&Third, &device), Vec::<String>::new());
    }
}
