//! URLs signed with the shared secret, as sign-in links are: two dates and an HMAC-SHA-512/256 in
//! the query. The bytes are Pomerium's, so either side can verify the other's links.

use crate::time::Timestamp;
use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::digest::{self, SHA512_256};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE;
use std::time::Duration;
use url::Url;
use url::form_urlencoded::{Serializer, byte_serialize};

const ISSUED: &str = "pomerium_issued";
const EXPIRY: &str = "pomerium_expiry";
const SIGNATURE: &str = "pomerium_signature";
/// The page a sign-in returns to.
pub const REDIRECT: &str = "pomerium_redirect_uri";

const LIFETIME: Duration = Duration::from_mins(5);
const LEEWAY: Duration = Duration::from_mins(1);

/// Why a URL is not one of ours, or not any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignedUrlError {
    #[error("the link is not signed as ours are")]
    Malformed,
    #[error("the link was changed, or signed with another key")]
    BadSignature,
    #[error("the link has expired")]
    Expired,
    #[error("the link was made in the future")]
    IssuedInFuture,
}

/// Signs `url`, valid for five minutes from `now`. The query ends up sorted by name.
pub fn sign(mut url: Url, key: &[u8], now: Timestamp) -> Url {
    let (issued, expiry) = (now.unix(), now.plus(LIFETIME).unix());
    let mut pairs = owned_pairs(&url);
    pairs.retain(|(name, _)| name != ISSUED && name != EXPIRY && name != SIGNATURE);
    pairs.push((ISSUED.to_owned(), issued.to_string()));
    pairs.push((EXPIRY.to_owned(), expiry.to_string()));
    set_sorted(&mut url, &mut pairs);
    let signature = mac(key, &url, issued, expiry);
    pairs.push((SIGNATURE.to_owned(), URL_SAFE.encode(signature)));
    set_sorted(&mut url, &mut pairs);
    url
}

/// The same for a `page` without a query, to which only the address to return to is added. Made for every
/// browser that is not signed in, so it is written as it goes out.
pub fn sign_redirect(page: &str, redirect: &str, key: &[u8], now: Timestamp) -> String {
    let (issued, expiry) = (now.unix(), now.plus(LIFETIME).unix());
    let mut url = format!("{page}?{EXPIRY}={expiry}&{ISSUED}={issued}&{REDIRECT}=");
    url.extend(byte_serialize(redirect.as_bytes()));
    let signature = hmac(key, format!("{url}{issued} {expiry}").as_bytes());
    url.push('&');
    url.push_str(SIGNATURE);
    url.push('=');
    url.extend(byte_serialize(URL_SAFE.encode(signature).as_bytes()));
    url
}

/// Verifies a URL made by [`sign`] or [`sign_redirect`].
///
/// # Errors
/// The first thing wrong with it.
pub fn verify(url: &Url, key: &[u8], now: Timestamp) -> Result<(), SignedUrlError> {
    let mut pairs = owned_pairs(url);
    let first =
        |name: &str| pairs.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone());
    let date = |name: &str| {
        first(name).and_then(|text| text.parse::<i64>().ok()).ok_or(SignedUrlError::Malformed)
    };
    let given = first(SIGNATURE)
        .and_then(|text| URL_SAFE.decode(text).ok())
        .ok_or(SignedUrlError::Malformed)?;
    let (issued, expiry) = (date(ISSUED)?, date(EXPIRY)?);
    pairs.retain(|(name, _)| name != SIGNATURE);
    let mut unsigned = url.clone();
    set_sorted(&mut unsigned, &mut pairs);
    let expected = mac(key, &unsigned, issued, expiry);
    verify_slices_are_equal(&expected, &given).map_err(|_| SignedUrlError::BadSignature)?;
    if now.minus(LEEWAY) > Timestamp::from_unix(expiry) {
        return Err(SignedUrlError::Expired);
    }
    if now.plus(LEEWAY) < Timestamp::from_unix(issued) {
        return Err(SignedUrlError::IssuedInFuture);
    }
    Ok(())
}

fn owned_pairs(url: &Url) -> Vec<(String, String)> {
    url.query_pairs().into_owned().collect()
}

fn set_sorted(url: &mut Url, pairs: &mut [(String, String)]) {
    pairs.sort_by(|(a, _), (b, _)| a.cmp(b));
    let query = Serializer::new(String::new()).extend_pairs(pairs.iter()).finish();
    url.set_query(Some(&query));
}

/// The URL as Go prints it: no slash after a host without path.
fn as_signed(url: &Url) -> String {
    let text = url.as_str();
    if url.path() == "/" {
        return text.replacen("/?", "?", 1);
    }
    text.to_owned()
}

fn mac(key: &[u8], url: &Url, issued: i64, expiry: i64) -> Vec<u8> {
    let message = format!("{}{issued} {expiry}", as_signed(url));
    hmac(key, message.as_bytes())
}

/// HMAC (RFC 2104) with SHA-512/256, whose block is 128 bytes. The library's HMAC lacks this hash.
fn hmac(key: &[u8], message: &[u8]) -> Vec<u8> {
    const BLOCK: usize = 128;
    let hashed;
    let key = if key.len() > BLOCK {
        hashed = digest::digest(&SHA512_256, key);
        hashed.as_ref()
    } else {
        key
    };
    let pad = |with: u8| {
        let mut block = [with; BLOCK];
        block.iter_mut().zip(key).for_each(|(slot, byte)| *slot ^= byte);
        block
    };
    let hash = |block: [u8; BLOCK], data: &[u8]| {
        let mut context = digest::Context::new(&SHA512_256);
        context.update(&block);
        context.update(data);
        context.finish()
    };
    let inner = hash(pad(0x36), message);
    hash(pad(0x5c), inner.as_ref()).as_ref().to_vec()
}

#[cfg(test)]
mod tests {
    use super::{REDIRECT, SignedUrlError, sign, sign_redirect, verify};
    use crate::time::Timestamp;
    use base64::Engine as _;
    use url::Url;

    #[test]
    fn a_known_signature() {
        let url = Url::parse("https://pomerium.io").expect("url");
        let signed = sign(url, b"test-key", Timestamp::from_unix(1_574_117_851));
        let signature = "pomerium_signature=XtvM-Y-oPvoGGV2Q5G0vrQ_CgNeYhVyTG5dHIqLsBOU%3D";
        assert!(signed.as_str().ends_with(signature), "{signed}");
        let now = |at| verify(&signed, b"test-key", Timestamp::from_unix(at));
        assert_eq!(now(1_574_117_851), Ok(()));
        assert_eq!(now(1_574_118_151 + 60), Ok(()));
        assert_eq!(now(1_574_118_151 + 61), Err(SignedUrlError::Expired));
        assert_eq!(now(1_574_117_851 - 60), Ok(()));
        assert_eq!(now(1_574_117_851 - 61), Err(SignedUrlError::IssuedInFuture));
        assert_eq!(
            verify(&signed, b"other", Timestamp::from_unix(1_574_117_851)),
            Err(SignedUrlError::BadSignature)
        );
    }

    #[test]
    fn a_redirect_is_signed_as_every_url_is() {
        let now = Timestamp::from_unix(1_574_117_851);
        let check = |page: &str, redirect: &str| {
            let mut url = Url::parse(page).expect("url");
            url.query_pairs_mut().append_pair(REDIRECT, redirect);
            let written = sign_redirect(page, redirect, b"test-key", now);
            assert_eq!(written, sign(url, b"test-key", now).as_str());
            let read = Url::parse(&written).expect("url");
            assert_eq!(verify(&read, b"test-key", now), Ok(()), "{written}");
        };
        check("https://login.test/.pomerium/sign_in", "https://app.test/");
        check("https://login.test:8443/.pomerium/sign_in", "https://app.test/a b?x=1&y=%20+~*é#f");
        check("http://[::1]:81/.pomerium/sign_in", "");
    }

    #[test]
    fn the_mac_of_the_documented_vector() {
        let url = "https://pomerium.io?pomerium_expiry=1574118151&pomerium_issued=1574117851";
        let mac = super::hmac(b"test-key", format!("{url}1574117851 1574118151").as_bytes());
        assert_eq!(super::URL_SAFE.encode(mac), "XtvM-Y-oPvoGGV2Q5G0vrQ_CgNeYhVyTG5dHIqLsBOU=");
    }
}
