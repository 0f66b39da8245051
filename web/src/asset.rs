//! Files that are part of the program: style sheets, scripts and pictures of pages.
//!
//! Each is served under an address with the digest of its content, so that browsers may keep it for ever and still see
//! every change at once. What people upload is not here.

use crate::CacheControl;
use axum::Router;
use axum::http::header;
use axum::routing::get;
use std::fmt;

/// A file of the program. Where it is used, write it out: it shows as its address.
///
/// ```
/// use composable_rust_web::{Asset, assets};
/// const STYLE: Asset = Asset::new("shop.css", "body { margin: 0 }".as_bytes());   // or include_bytes!("shop.css")
///
/// let link = format!(r#"<link rel="stylesheet" href="{STYLE}">"#);
/// assert!(link.contains("/static/") && link.contains("/shop.css"));
/// let routes = assets::<()>(&[STYLE]);
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Asset {
    name: &'static str,
    content: &'static [u8],
    digest: u64,
}

impl Asset {
    /// A file of this name, whose end tells what it is: `.css`, `.js`, `.svg`, `.png`, `.ico`, `.woff2` or `.webmanifest`.
    pub const fn new(name: &'static str, content: &'static [u8]) -> Self {
        Self { name, content, digest: digest(content) }
    }

    fn media_type(self) -> &'static str {
        match self.name.rsplit_once('.').map_or("", |(_, end)| end) {
            "css" => "text/css; charset=utf-8",
            "js" => "text/javascript; charset=utf-8",
            "svg" => "image/svg+xml",
            "png" => "image/png",
            "ico" => "image/vnd.microsoft.icon",
            "woff2" => "font/woff2",
            "webmanifest" => "application/manifest+json",
            _ => "application/octet-stream",
        }
    }
}

/// The address.
impl fmt::Display for Asset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "/static/{:016x}/{}", self.digest, self.name)
    }
}

impl fmt::Debug for Asset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Asset({self}, {} bytes)", self.content.len())
    }
}

/// Routes that serve these files. No rate limit counts them.
pub fn assets<S: Clone + Send + Sync + 'static>(assets: &[Asset]) -> Router<S> {
    assets.iter().fold(Router::new(), |routes, asset| {
        let (kind, content) = (asset.media_type(), asset.content);
        let serve = async move || ([(header::CONTENT_TYPE, kind)], CacheControl::IMMUTABLE, content);
        routes.route(&asset.to_string(), get(serve))
    })
}

/// FNV-1a: it tells versions of a file apart and guards nothing, so it may be short and made by the compiler.
const fn digest(content: &[u8]) -> u64 {
    let (mut digest, mut at) = (0xcbf2_9ce4_8422_2325_u64, 0);
    while at < content.len() {
        digest = (digest ^ content[at] as u64).wrapping_mul(0x0000_0100_0000_01b3);
        at += 1;
    }
    digest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_content_has_another_address() {
        let [one, other] = ["a {}", "b {}"].map(|text| Asset::new("a.css", text.as_bytes()).to_string());
        assert_ne!(one, other);
        assert_eq!(one, Asset::new("a.css", b"a {}").to_string());
        assert_eq!(digest(b"foobar"), 0x8594_4171_f739_67e8, "as published");
    }
}
