//! The module that a node belongs to, by what each exporter leaves of it: PyTorch's scopes or paths, the names of weights,
//! TensorFlow's scopes.

use std::collections::HashSet;

use super::super::proto::NodeProto;

/// The module of a node.
#[derive(Debug, Default, PartialEq)]
pub(super) struct NodeModule {
    /// Its path, such as `layer1.0.conv1`; empty for the network itself, and none if nothing says it.
    pub path: Option<String>,
    /// The convolution that a batch norm was folded into when the file was written; the path is then the norm's.
    pub folded: Option<String>,
}

/// The key of the scopes of PyTorch's present exporter.
const SCOPES: &str = "pkg.torch.onnx.name_scopes";

/// The modules of all nodes of a file of this producer.
pub(super) fn modules_of(nodes: &[NodeProto], producer: &str) -> Vec<NodeModule> {
    let paths = nodes.iter().filter_map(|node| node.name.strip_prefix('/')).map(in_path).collect();
    nodes.iter().map(|node| module_of(node, producer, &paths)).collect()
}

fn module_of(node: &NodeProto, producer: &str, paths: &HashSet<String>) -> NodeModule {
    let scope = scope_of(node, producer);
    if !matches!(&*node.op_type, "Conv" | "Gemm" | "MatMul") {
        return NodeModule { path: scope, folded: None };
    }
    let weight = node.input_named(1).unwrap_or("");
    let named = weight.strip_suffix(".weight").map(str::to_owned);
    let is_scoped = node.metadata_props.iter().any(|entry| entry.key == SCOPES);
    match (named, scope) {
        // The present exporter keeps the weight's name, and the scope is that of the batch norm.
        (Some(conv), Some(norm)) if is_scoped && is_other_module(&norm, &conv) => {
            NodeModule { path: Some(norm), folded: Some(conv) }
        }
        (Some(conv), _) => NodeModule { path: Some(conv), folded: None },
        // The one before it gives weights that it has changed a new name.
        (None, Some(conv)) if node.op_type == "Conv" && weight.starts_with("onnx::") => {
            let norm = norm_after(paths, &conv);
            NodeModule { path: Some(norm), folded: Some(conv) }
        }
        (None, scope) => NodeModule { path: scope, folded: None },
    }
}

/// Whether a scope is another module than the one that owns a weight, and not one around it.
fn is_other_module(scope: &str, owner: &str) -> bool {
    let is_around = scope.is_empty() || owner.strip_prefix(scope).is_some_and(|rest| rest.starts_with('.'));
    scope != owner && !is_around
}

fn scope_of(node: &NodeProto, producer: &str) -> Option<String> {
    let scopes = node.metadata_props.iter().find(|entry| entry.key == SCOPES);
    if let Some(scopes) = scopes {
        return in_scopes(&scopes.value);
    }
    if let Some(path) = node.name.strip_prefix('/') {
        return Some(in_path(path));
    }
    (producer == "tf2onnx").then(|| in_keras(&node.name)).flatten()
}

/// The last but one of a Python list of texts: the last is the operation's own name.
fn in_scopes(list: &str) -> Option<String> {
    let texts: Vec<&str> = list.split('\'').skip(1).step_by(2).collect();
    texts.len().checked_sub(2).map(|at| texts[at].to_owned())
}

/// The module in `layer1/layer1.0/conv1/Conv`: parts that begin with the one before them take its place.
fn in_path(path: &str) -> String {
    let mut parts: Vec<&str> = path.split('/').collect();
    parts.pop();
    let mut module = String::new();
    let mut last = "";
    for part in parts {
        if !last.is_empty() && part.strip_prefix(last).is_some_and(|rest| rest.starts_with('.')) {
            module.truncate(module.len() - last.len());
        } else if !module.is_empty() {
            module.push('.');
        }
        module.push_str(part);
        last = part;
    }
    module
}

/// The layer in `resnet50_1/conv1_relu_1/Relu`: the part before the operation, without the number of the call.
fn in_keras(name: &str) -> Option<String> {
    let parts: Vec<&str> = name.split('/').collect();
    let layer = parts.len().checked_sub(2).map(|at| parts[at])?;
    Some(layer.strip_suffix("_1").unwrap_or(layer).to_owned())
}

/// The name of the batch norm behind a convolution, which the file has no longer: the next of a list of modules, or the
/// name with the same number. Where neither is usual, the convolution's own name with `.bn`.
fn norm_after(paths: &HashSet<String>, conv: &str) -> String {
    let (front, last) = match conv.rsplit_once('.') {
        Some((front, last)) => (format!("{front}."), last),
        None => (String::new(), conv),
    };
    if let Ok(number) = last.parse::<u32>() {
        let next = format!("{front}{}", number.saturating_add(1));
        if !paths.contains(&next) {
            return next;
        }
    }
    match last.strip_prefix("conv") {
        // DenseNet's layers: norm1, relu1, conv1, norm2, relu2, conv2.
        Some("1") if front.contains("denselayer") => format!("{front}norm2"),
        Some("0") => format!("{front}norm0"),
        Some(number) if number.chars().all(|c| c.is_ascii_digit()) => format!("{front}bn{number}"),
        Some(_) | None => format!("{conv}.bn"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modules_are_found_in_what_each_exporter_writes() {
        assert_eq!(in_path("layer1/layer1.0/conv1/Conv"), "layer1.0.conv1");
        assert_eq!(in_path("layer1/layer1.0/relu_1/Relu"), "layer1.0.relu_1");
        assert_eq!(in_path("layer10/layer1/Conv"), "layer10.layer1");
        assert_eq!(in_path("Flatten"), "");
        let list = "['', 'layer1', 'layer1.0', 'layer1.0.relu', 'relu_1']";
        assert_eq!(in_scopes(list).as_deref(), Some("layer1.0.relu"));
        assert_eq!(in_scopes("['', 'add']").as_deref(), Some(""));
        assert_eq!(in_scopes("nonsense"), None);
        assert_eq!(in_keras("resnet50_1/conv1_relu_1/Relu").as_deref(), Some("conv1_relu"));
        assert_eq!(in_keras("Conv__223"), None);
    }
}
