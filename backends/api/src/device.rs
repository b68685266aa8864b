//! The devices that backends compute on: what they are, how they are named, and in which arithmetic they compute.

use std::fmt;
use std::str::FromStr;

use crate::{Backend, Error, Result};

/// The sort of hardware behind a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeviceKind {
    /// The host's processors.
    Cpu,
    /// An NVIDIA GPU.
    Cuda,
    /// An Apple GPU, through Metal.
    Metal,
    /// An Apple GPU, through libtorch.
    Mps,
}

/// One place to run. Prints as it is typed: `cpu`, `cuda:1`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Device {
    /// The kind of the device.
    pub kind: DeviceKind,
    /// The index among the devices of its kind.
    pub index: usize,
    /// For people: the hardware's name, the framework, its threads.
    pub description: String,
    /// The arithmetic of its sums of products.
    pub precision: Precision,
    /// A GPU's own number, `GPU-` and 32 hexadecimal digits in five groups, as `nvidia-smi -L` lists it; none where the driver
    /// does not say.
    pub uuid: Option<String>,
    /// Bytes of memory of its own; none for the CPU, which has the host's.
    pub memory: Option<u64>,
    /// Bytes of that memory that no program had taken when the devices were listed, where the driver says.
    pub free: Option<u64>,
    /// The vector instructions that a CPU's kernels are compiled for, if the backend knows. Others give other bits.
    pub vectors: Option<String>,
}

/// The arithmetic of a device's sums of products, which decides how far two devices may differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Precision {
    /// Products and sums in IEEE single precision: 24 bits of each factor count.
    #[default]
    F32,
}

impl Precision {
    /// The name in lists and files.
    pub fn name(self) -> &'static str {
        match self {
            Self::F32 => "f32",
        }
    }
}

impl fmt::Display for Precision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Precision {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Self, String> {
        match text {
            "f32" => Ok(Self::F32),
            _ => Err(format!("there is no precision \"{text}\" in this version; it has: f32")),
        }
    }
}

impl Device {
    /// A device of which no more is known: in f32, without a UUID and memory of its own.
    pub fn new(kind: DeviceKind, index: usize, description: impl Into<String>) -> Self {
        let description = description.into();
        let precision = Precision::F32;
        Self { kind, index, description, precision, uuid: None, memory: None, free: None, vectors: None }
    }

    /// Whether `text` names it: as it prints, `cuda` for `cuda:0`, or its UUID with or without `GPU-`, as far as `nvidia-smi`
    /// and others shorten it: eight digits or more.
    fn is_named(&self, text: &str) -> bool {
        let name = self.to_string();
        let of_uuid = |uuid: &String| {
            let [text, uuid] = [text, uuid].map(|uuid| uuid.trim_start_matches("GPU-").to_ascii_lowercase());
            text.len() >= UUID_DIGITS && uuid.starts_with(&text)
        };
        name == text || name.strip_suffix(":0") == Some(text) || self.uuid.as_ref().is_some_and(of_uuid)
    }
}

/// A GPU's UUID in the form of `nvidia-smi -L`: `GPU-` and the bytes that the driver says, in five groups.
pub fn gpu_uuid(bytes: [u8; 16]) -> String {
    let digits = bytes.map(|byte| format!("{byte:02x}")).concat();
    let groups = [&digits[..8], &digits[8..12], &digits[12..16], &digits[16..20], &digits[20..]];
    format!("GPU-{}", groups.join("-"))
}

/// The digits of a UUID that are enough: `CUDA_VISIBLE_DEVICES` takes shortened ones too.
const UUID_DIGITS: usize = 8;

impl fmt::Display for Device {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self.kind {
            DeviceKind::Cpu => return f.write_str("cpu"),
            DeviceKind::Cuda => "cuda",
            DeviceKind::Metal => "metal",
            DeviceKind::Mps => "mps",
        };
        write!(f, "{name}:{}", self.index)
    }
}

/// The device of `backend` that `text` names (`cuda` is `cuda:0`, `auto` the first that is not the CPU, or else that, and a GPU's
/// UUID that GPU); fails with a list of those that are there.
pub fn find_device(backend: &dyn Backend, text: &str) -> Result<Device> {
    let devices = backend.devices();
    let available = devices.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    let found = match text {
        "auto" => {
            let best = devices.iter().find(|device| device.kind != DeviceKind::Cpu).or(devices.first());
            best.cloned()
        }
        _ => devices.into_iter().find(|device| device.is_named(text)),
    };
    found.ok_or_else(|| Error::UnknownDevice {
        backend: backend.name().into(),
        device: text.into(),
        available,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gpu_is_named_by_its_uuid_too() {
        let uuid = Some("GPU-5d4f1a2b-0c3d-4e5f-8a9b-0123456789ab".to_owned());
        let gpu = Device { uuid, ..Device::new(DeviceKind::Cuda, 1, "") };
        for text in ["cuda:1", "GPU-5d4f1a2b-0c3d-4e5f-8a9b-0123456789ab", "GPU-5D4F1A2B", "5d4f1a2b"] {
            assert!(gpu.is_named(text), "{text}");
        }
        for text in ["cuda", "cuda:0", "GPU-5d4f1a2", "GPU-", "", "4e5f8a9b"] {
            assert!(!gpu.is_named(text), "{text}");
        }
    }

    #[test]
    fn a_uuid_is_written_as_nvidia_smi_does() {
        let bytes =
            [0x5d, 0x4f, 0x1a, 0x2b, 0x0c, 0x3d, 0x4e, 0x5f, 0x8a, 0x9b, 1, 0x23, 0x45, 0x67, 0x89, 0xab];
        assert_eq!(gpu_uuid(bytes), "GPU-5d4f1a2b-0c3d-4e5f-8a9b-0123456789ab");
    }

    #[test]
    fn a_precision_is_read_as_it_prints() {
        assert_eq!("f32".parse(), Ok(Precision::F32));
        assert_eq!(Precision::F32.to_string(), "f32");
        assert!("tf32".parse::<Precision>().unwrap_err().contains("f32"));
    }
}
