//! What test doubles of a model leave to the model inside.

/// Writes those methods of `Model` that a double hands on to the model in its field, unchanged.
macro_rules! forward {
    ($field:tt: $($method:ident)+) => { $( $crate::forwarding::forward!(@ $method $field); )+ };
    (@ activations $field:tt) => {
        fn activations(
            &mut self,
            images: &trepang_api::Array,
            at: &[trepang_api::LayerId],
        ) -> trepang_api::Result<Vec<trepang_api::Array>> {
            self.$field.activations(images, at)
        }
    };
    (@ pull_back $field:tt) => {
        fn pull_back(
            &mut self,
            images: &trepang_api::Array,
            at: &[trepang_api::LayerId],
            relu: trepang_api::ReluGradient,
            cotangents: &mut trepang_api::Cotangents,
        ) -> trepang_api::Result<trepang_api::Array> {
            self.$field.pull_back(images, at, relu, cotangents)
        }
    };
    (@ activations_from $field:tt) => {
        fn activations_from(
            &mut self,
            start: &[(trepang_api::LayerId, trepang_api::Array)],
            at: &[trepang_api::LayerId],
        ) -> trepang_api::Result<Vec<trepang_api::Array>> {
            self.$field.activations_from(start, at)
        }
    };
    (@ pull_back_from $field:tt) => {
        fn pull_back_from(
            &mut self,
            start: &[(trepang_api::LayerId, trepang_api::Array)],
            at: &[trepang_api::LayerId],
            relu: trepang_api::ReluGradient,
            cotangents: &mut trepang_api::Cotangents,
        ) -> trepang_api::Result<Vec<trepang_api::Array>> {
            self.$field.pull_back_from(start, at, relu, cotangents)
        }
    };
    (@ memory $field:tt) => {
        fn memory(&self, images: [usize; 3], at: &[trepang_api::LayerId]) -> trepang_api::Result<u64> {
            self.$field.memory(images, at)
        }
    };
    (@ pool $field:tt) => {
        fn pool(&self) -> std::sync::Arc<dyn trepang_api::ComputePool> {
            self.$field.pool()
        }
    };
}

pub(crate) use forward;
