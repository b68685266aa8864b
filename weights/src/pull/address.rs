//! Computes addresses: of a file on a mirror, of the target of a redirect, of a file on the hub. It is pure text.

use super::{Error, Result};

/// The address of a file on a model hub: `ENDPOINT/REPO/resolve/REVISION/FILE`. The endpoint is the hub's own or
/// that of a mirror, which [`Environment::hub_endpoint`](crate::cache::Environment::hub_endpoint) knows.
pub fn hub_url(endpoint: &str, repo: &str, revision: &str, file: &str) -> String {
    format!("{}/{repo}/resolve/{revision}/{file}", endpoint.trim_end_matches('/'))
}

/// The addresses to try for the file at `url`, best first: see [`PullOptions::mirror`](super::PullOptions::mirror).
pub(super) fn candidates(url: &str, mirror: Option<&str>) -> Result<Vec<String>> {
    let (_, path) = split(url).ok_or_else(|| Error::Address { address: masked(url) })?;
    let Some(mirror) = mirror else { return Ok(vec![url.into()]) };
    split(mirror).ok_or_else(|| Error::Address { address: masked(mirror) })?;
    // A mirror may want a token behind the path.
    let (mirror, token) = mirror.split_once('?').map_or((mirror, ""), |(mirror, token)| (mirror, token));
    let mirror = mirror.trim_end_matches('/');
    let name = path.split('?').next().and_then(|path| path.rsplit('/').next()).unwrap_or_default();
    let behind = |address: String| match (token, address.contains('?')) {
        ("", _) => address,
        (_, true) => format!("{address}&{token}"),
        (_, false) => format!("{address}?{token}"),
    };
    let mut candidates = [format!("{mirror}{path}"), format!("{mirror}/{name}")].map(behind).to_vec();
    candidates.dedup();
    Ok(candidates)
}

/// Resolves `location`, the redirect that the server at `from` sent. The error describes a target that must not be followed.
pub(super) fn redirect(from: &str, location: &str) -> Result<String, String> {
    let location = location.split('#').next().unwrap_or_default().trim();
    let (origin, path) = split(from).ok_or("nowhere")?;
    let (scheme, _) = origin.split_once("//").ok_or("nowhere")?;
    let to = if location.is_empty() {
        return Err("nowhere".into());
    } else if location.contains("://") {
        location.to_owned()
    } else if location.starts_with("//") {
        format!("{scheme}{location}")
    } else if location.starts_with('/') {
        format!("{origin}{location}")
    } else {
        let path = path.split('?').next().unwrap_or_default();
        let folder = path.rfind('/').map_or("", |end| &path[..end]);
        format!("{origin}{folder}/{location}")
    };
    match split(&to) {
        None => Err(format!("{}, which is no web address", masked(&to))),
        Some((new, _)) if scheme == "https:" && !new.starts_with("https:") => {
            Err(format!("{}, away from HTTPS", masked(&to)))
        }
        Some(_) => Ok(to),
    }
}

/// The address without the name, the password and the token behind a question mark that it may carry, to be shown, stored and
/// compared.
pub(super) fn masked(url: &str) -> String {
    let (url, token) = url.split_once('?').map_or((url, ""), |(url, _)| (url, "?***"));
    format!("{}{token}", without_name(url))
}

fn without_name(url: &str) -> String {
    let Some((origin, rest)) = split(url) else {
        // What is no address may still have been meant as one.
        return url.rsplit_once('@').map_or_else(|| url.to_owned(), |(_, rest)| format!("***@{rest}"));
    };
    match (origin.split_once("//"), origin.rsplit_once('@')) {
        (Some((scheme, _)), Some((_, host))) => format!("{scheme}//***@{host}{rest}"),
        _ => url.to_owned(),
    }
}

/// Splits an address into `scheme://host:port` and the rest, which begins with `/`, `?` or `#` or is empty.
fn split(url: &str) -> Option<(&str, &str)> {
    let lower = url.get(..8.min(url.len())).unwrap_or_default().to_ascii_lowercase();
    let host = ["https://", "http://"].into_iter().find(|scheme| lower.starts_with(scheme))?.len();
    let end = url[host..].find(['/', '?', '#']).map_or(url.len(), |at| host + at);
    (end > host).then(|| url.split_at(end))
}

#[cfg(test)]
mod tests {
    use super::*;

    const URL: &str = "https://host/apps/vgg19/vgg.h5";

    #[test]
    fn a_mirror_takes_the_place_of_scheme_and_host() {
        let check = |url, mirror, expected: &[&str]| assert_eq!(candidates(url, mirror).unwrap(), expected);
        check(URL, None, &[URL]);
        let whole = "http://m:8080/ml/apps/vgg19/vgg.h5";
        check(URL, Some("http://m:8080/ml/"), &[whole, "http://m:8080/ml/vgg.h5"]);
        check("http://host/vgg.h5?x=1", Some("HTTP://m"), &["HTTP://m/vgg.h5?x=1", "HTTP://m/vgg.h5"]);
        check("http://host/vgg.h5", Some("http://m"), &["http://m/vgg.h5"]);
        check(URL, Some("http://m/?t=S"), &["http://m/apps/vgg19/vgg.h5?t=S", "http://m/vgg.h5?t=S"]);
        check(
            "http://host/vgg.h5?x=1",
            Some("http://m?t=S"),
            &["http://m/vgg.h5?x=1&t=S", "http://m/vgg.h5?t=S"],
        );
    }

    #[test]
    fn an_address_is_http_with_a_host() {
        for bad in ["", "vgg.h5", "file:///vgg.h5", "ftp://host/x", "http://", "https:///x", "ftp://http://x"]
        {
            assert!(candidates(bad, None).is_err(), "{bad}");
            assert!(candidates(URL, Some(bad)).is_err(), "{bad}");
        }
    }

    #[test]
    fn redirects_are_resolved_and_never_lead_away_from_https() {
        let check = |location, expected: Result<&str, &str>| {
            let found = redirect("https://host/a/b?c", location);
            assert_eq!(found.as_deref().map_err(String::as_str), expected, "{location}");
        };
        check("https://cdn/x?sig=/1", Ok("https://cdn/x?sig=/1"));
        check("//cdn/x", Ok("https://cdn/x"));
        check("/x#top", Ok("https://host/x"));
        check("x", Ok("https://host/a/x"));
        check("", Err("nowhere"));
        check("http://cdn/x", Err("http://cdn/x, away from HTTPS"));
        check("ftp://cdn/x", Err("ftp://cdn/x, which is no web address"));
        assert_eq!(redirect("http://host", "https://host/").as_deref(), Ok("https://host/"));
        assert_eq!(redirect("http://host", "x").as_deref(), Ok("http://host/x"));
    }

    #[test]
    fn names_and_passwords_are_not_shown() {
        for (url, shown) in [
            ("https://user:secret@host:8080/a@b", "https://***@host:8080/a@b"),
            ("http://token@host", "http://***@host"),
            ("http://u:p@ss@host/x", "http://***@host/x"),
            ("https://host/a@b", "https://host/a@b"),
            ("ftp://user:secret@host/x", "***@host/x"),
            ("https://host/x?token=secret", "https://host/x?***"),
            ("vgg.h5", "vgg.h5"),
        ] {
            assert_eq!(masked(url), shown);
        }
        let error = candidates(URL, Some("ftp://user:secret@host")).unwrap_err().to_string();
        assert!(!error.contains("secret"), "{error}");
    }

    #[test]
    fn the_hub_has_a_file_under_its_revision() {
        let url = hub_url("https://hub/", "timm/vgg19.tv_in1k", "main", "model.safetensors");
        assert_eq!(url, "https://hub/timm/vgg19.tv_in1k/resolve/main/model.safetensors");
    }
}
