//! Which Python objects a weights file may name. None is ever imported; the list tells a file of weights from one that
//! is up to something. Not here: how they are found.

/// What a `state_dict` and the numbers saved beside it are made of.
pub(super) fn is_harmless(module: &str, name: &str) -> bool {
    let plain = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_'); // no `a.b`
    plain
        && match module {
            "collections" => ["OrderedDict", "defaultdict", "Counter"].contains(&name),
            "builtins" | "__builtin__" => BUILTINS.contains(&name),
            "torch" => TORCH.contains(&name) || name.ends_with("Storage"),
            "torch.storage" => {
                ["UntypedStorage", "TypedStorage", "_UntypedStorage", "_TypedStorage"].contains(&name)
            }
            "torch._utils" => name.starts_with("_rebuild_"),
            "torch._tensor" => name == "_rebuild_from_type_v2",
            "torch.serialization" => name == "_get_layout",
            "_codecs" => name == "encode", // how Python 3 writes bytes in protocol 2
            "argparse" => name == "Namespace",
            "numpy" => ["dtype", "ndarray"].contains(&name),
            "numpy.core.multiarray" | "numpy._core.multiarray" => ["scalar", "_reconstruct"].contains(&name),
            _ => is_module_class(module, name),
        }
}

const BUILTINS: [&str; 12] = [
    "set",
    "frozenset",
    "dict",
    "list",
    "tuple",
    "int",
    "float",
    "bool",
    "str",
    "bytes",
    "bytearray",
    "complex",
];

const TORCH: [&str; 21] = [
    "Size",
    "device",
    "Tensor",
    "bool",
    "float16",
    "float32",
    "float64",
    "half",
    "float",
    "double",
    "bfloat16",
    "int8",
    "int16",
    "int32",
    "int64",
    "uint8",
    "uint16",
    "uint32",
    "uint64",
    "complex64",
    "complex128",
];

/// A class of PyTorch's own modules or torchvision's, which a file has that holds a whole model.
fn is_module_class(module: &str, name: &str) -> bool {
    let class =
        name.starts_with(|c: char| c.is_ascii_uppercase()) && name.bytes().all(|b| b.is_ascii_alphanumeric());
    class
        && ["torch.nn.", "torchvision.models.", "torchvision.ops."]
            .iter()
            .any(|start| module.starts_with(start))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_and_what_is_saved_with_them_is_harmless() {
        let harmless = [
            ("collections", "OrderedDict"),
            ("torch._utils", "_rebuild_tensor"),
            ("torch._utils", "_rebuild_tensor_v2"),
            ("torch._utils", "_rebuild_parameter"),
            ("torch._tensor", "_rebuild_from_type_v2"),
            ("torch", "FloatStorage"),
            ("torch", "BFloat16Storage"),
            ("torch.storage", "UntypedStorage"),
            ("torch", "float32"),
            ("torch", "Size"),
            ("torch.nn.modules.conv", "Conv2d"),
            ("torchvision.models.vgg", "VGG"),
            ("numpy.core.multiarray", "scalar"),
            ("argparse", "Namespace"),
        ];
        for (module, name) in harmless {
            assert!(is_harmless(module, name), "{module}.{name}");
        }
    }

    #[test]
    fn everything_else_is_not() {
        let others = [
            ("os", "system"),
            ("builtins", "eval"),
            ("builtins", "getattr"),
            ("torch", "load"),
            ("torch", "hub"),
            ("torch", "os.FloatStorage"),
            ("torch.nn.modules.module", "os.system"),
            ("torch.nn.modules.module", "operator"),
            ("torch.nnn", "Conv2d"),
            ("torch._utils", "_import_dotted_name"),
            ("numpy", "load"),
            ("collections", ""),
        ];
        for (module, name) in others {
            assert!(!is_harmless(module, name), "{module}.{name}");
        }
    }
}
