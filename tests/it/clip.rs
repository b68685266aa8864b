//! The trunks of `OpenAI`'s CLIP against timm: `tests/golden/make_clip.py` ran them with weights made up from their names.

use std::sync::LazyLock;

use trepang_api::Weights;
use trepang_weights::{Architecture, Dialect, MadeUp, Trained};

use crate::golden::{Case, read};
use crate::library::{default_backend, fast_backends, on_cpu};
use crate::made_up::picture;

/// Of a gradient's root mean square, once the near-ties are accounted for.
const SMALL_SIZE_TOLERANCE: f64 = 1e-4;

/// The same at full size, without an account of near-ties: as for the networks in `networks`.
const FULL_SIZE_TOLERANCE: f64 = 6e-2;

const SMALL: usize = 64;

static GOLDEN: LazyLock<Weights> = LazyLock::new(|| read("clip.safetensors"));

/// The modules that the script looked at, by timm's names.
const LAYERS: [&str; 6] =
    ["stem.conv1", "stem", "stages.0.0.shortcut", "stages.1.0.conv2_kxk", "stages.1.0", "stages.3"];

const GRADIENT: (&str, usize) = ("stages.2.3", 11);

fn check(architecture: Architecture, size: usize) {
    let trained = MadeUp::new(architecture, Dialect::Clip, false).unwrap().load().unwrap();
    let picture = picture(&format!("image/{size}"), size);
    let mut jumps = on_cpu(default_backend(2).as_ref(), &trained);
    for backend in fast_backends(2) {
        let Trained { network, weights, .. } = trained.clone();
        let name = (architecture.name().to_owned(), size);
        let mut case = Case::new(&GOLDEN, name, (network, weights), backend.as_ref());
        case.check_activations(&picture, &LAYERS);
        if size == SMALL {
            case.check_gradient_but_for_near_ties(&picture, GRADIENT, SMALL_SIZE_TOLERANCE, jumps.as_mut());
        } else {
            case.check_gradient(&picture, GRADIENT, FULL_SIZE_TOLERANCE);
        }
    }
}

#[test]
fn clip_rn50_has_timms_gradient_at_a_small_size() {
    check(Architecture::ClipRn50, SMALL);
}

#[test]
fn clip_rn50x4_has_timms_gradient_at_a_small_size() {
    check(Architecture::ClipRn50x4, SMALL);
}

#[test]
fn clip_rn50_computes_what_timm_computes() {
    check(Architecture::ClipRn50, 224);
}

#[test]
#[ignore = "takes long; .ci/full asks for it"]
fn clip_rn50x4_computes_the_same_at_full_size() {
    check(Architecture::ClipRn50x4, 288);
}
