//! The Python globals that the pickle of a weights file may import. Trepang imports none of them; a file that names any
//! other global is refused. Finding the globals in a pickle is in `pickle`.

/// Whether a `state_dict`, or the values that programs save beside it, may need the global `module.name`.
pub(super) fn is_allowed_global(module: &str, name: &str) -> bool {
    let plain = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_'); // `a.b` is refused
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
            "_codecs" => name == "encode", // Python 3 writes bytes in this way in protocol 2
            "argparse" => name == "Namespace",
            "numpy" => ["dtype", "ndarray"].contains(&name),
            "numpy.core.multiarray" | "numpy._core.multiarray" => ["scalar", "_reconstruct"].contains(&name),
            _ => is_module_class(module, name),
        }
}

/// The permitted names of the module `builtins`.
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

/// The permitted names of the module `torch`, besides the storage classes.
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

/// Whether the global is a class of `torch.nn` or torchvision. Files that hold a whole model name such classes.
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
    fn globals_of_weights_files_are_allowed() {
        let allowed = [
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
        for (module, name) in allowed {
            assert!(is_allowed_global(module, name), "{module}.{name}");
        }
    }

    #[test]
    fn all_other_globals_are_refused() {
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
            assert!(!is_allowed_global(module, name), "{module}.{name}");
        }
    }
}
