//! The serialisation of shared values: as the values they hold. Serde does so by itself only with a feature that the
//! workspace does without.

use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

pub(super) fn serialize<T, S>(value: &Arc<T>, serializer: S) -> Result<S::Ok, S::Error>
where
    T: Serialize + ?Sized,
    S: Serializer,
{
    (**value).serialize(serializer)
}

pub(super) fn deserialize<'de, T, D>(deserializer: D) -> Result<Arc<T>, D::Error>
where
    T: ?Sized,
    Box<T>: Deserialize<'de>,
    D: Deserializer<'de>,
{
    Box::<T>::deserialize(deserializer).map(Arc::from)
}

/// The same for a value that may be absent.
pub(super) mod option {
    use std::sync::Arc;

    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    #[expect(clippy::ref_option, reason = "serde hands a field over as it is declared")]
    pub(in crate::worker::protocol) fn serialize<T, S>(
        value: &Option<Arc<T>>,
        serializer: S,
    ) -> Result<S::Ok, S::Error>
    where
        T: Serialize + ?Sized,
        S: Serializer,
    {
        value.as_deref().serialize(serializer)
    }

    pub(in crate::worker::protocol) fn deserialize<'de, T, D>(
        deserializer: D,
    ) -> Result<Option<Arc<T>>, D::Error>
    where
        T: ?Sized,
        Box<T>: Deserialize<'de>,
        D: Deserializer<'de>,
    {
        Ok(Option::<Box<T>>::deserialize(deserializer)?.map(Arc::from))
    }
}

/// A picture: its bytes as base64, which is a third of their length as a list of numbers.
pub(super) mod picture {
    use std::sync::Arc;

    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use serde::de::Error as _;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use crate::engine::Picture;

    #[derive(Serialize, Deserialize)]
    struct EncodedPicture {
        width: usize,
        height: usize,
        rgb: String,
    }

    pub(in crate::worker::protocol) fn serialize<S: Serializer>(
        picture: &Arc<Picture>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        let (width, height, rgb) = (picture.width, picture.height, STANDARD.encode(&picture.rgb));
        EncodedPicture { width, height, rgb }.serialize(serializer)
    }

    pub(in crate::worker::protocol) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Arc<Picture>, D::Error> {
        let EncodedPicture { width, height, rgb } = EncodedPicture::deserialize(deserializer)?;
        let rgb = STANDARD.decode(rgb).map_err(D::Error::custom)?;
        if width.checked_mul(height).and_then(|pixels| pixels.checked_mul(3)) != Some(rgb.len()) {
            return Err(D::Error::custom("a picture's bytes do not fill its width and height"));
        }
        Ok(Arc::new(Picture { width, height, rgb }))
    }
}
