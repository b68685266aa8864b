//! How long does it take to take out each channel of VGG19's last convolution? `cargo bench --bench ablations` ablates all
//! 512 one by one, with made-up weights: by the columns of the fully connected layer, as `trepang lab` does, and by running
//! the tail anew. Ends with an error if the first takes longer than 2 seconds, which two cores must keep to.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use trepang::backends::BACKENDS;
use trepang::lab::{Against, Margin, Remover, Tail, singles};
use trepang_api::{Array, find_device};
use trepang_weights::{Architecture, Dialect, MadeUp};

/// The layer whose channels are taken out: 512 of 14 x 14.
const LAYER: &str = "block5_conv4";

/// The longest that all of them may take.
const LIMIT: Duration = Duration::from_secs(2);

/// Rounds of each way; the fastest counts.
const ROUNDS: usize = 3;

fn main() -> Result<()> {
    let trained = MadeUp::new(Architecture::Vgg19, Dialect::Keras, true)?.load()?;
    let threads = std::thread::available_parallelism()?.get();
    let backend = BACKENDS[0].open(threads)?;
    let mut model =
        backend.load(&trained.network, &trained.weights, &find_device(backend.as_ref(), "cpu")?)?;
    let numbers =
        trepang_weights::words("picture").take(3 * 224 * 224).map(|z| (z >> 40) as f32 / (1 << 24) as f32);
    let picture = Array::new([1, 3, 224, 224], numbers.collect())?;
    let layer = trained.network.layer(LAYER)?;
    let mut tail = Tail::new(model.as_mut(), &trained.network, &picture, layer)?;
    let margin = Margin { class: 0, against: Against::Class(1) };
    let zero = Array::zeros(tail.activation().shape());
    let mut fastest = [Duration::MAX; 2];
    let mut effects = [Vec::new(), Vec::new()];
    for _ in 0..ROUNDS {
        for (way, by_columns) in [true, false].into_iter().enumerate() {
            let begun = Instant::now();
            let remover = if by_columns {
                Remover::new(&mut tail, &trained.weights, zero.clone())?
            } else {
                Remover::by_rerunning(&tail, zero.clone())?
            };
            effects[way] = singles(&mut tail, margin, &[&remover])?;
            fastest[way] = fastest[way].min(begun.elapsed());
        }
    }
    let [columns, rerun] = fastest.map(|time| time.as_secs_f64());
    let count = effects[0].len();
    println!(
        "{count} channels of {LAYER}, {threads} threads: {columns:.2} s by columns, {rerun:.2} s by rerunning"
    );
    let largest = effects[1].iter().map(|single| single.effect.abs()).fold(0.0, f64::max);
    let apart = effects[0].iter().zip(&effects[1]).map(|(a, b)| (a.effect - b.effect).abs());
    println!("effects differ by {:.1e} of the largest", apart.fold(0.0, f64::max) / largest);
    ensure!(fastest[0] <= LIMIT, "that is more than {} s", LIMIT.as_secs());
    effects
        .first()
        .filter(|effects| effects.len() == 512)
        .context("not every channel was taken out")
        .map(drop)
}
