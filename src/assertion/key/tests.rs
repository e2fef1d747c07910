use super::{Algorithm, KeyError, SigningKeys};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

/// RFC 7515 §A.3 (P-256) as a private JWK.
const EC_JWK: &str = r#"{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0","d":"jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI"}"#;

fn openssl_free_pem() -> String {
    let rng = aws_lc_rs::rand::SystemRandom::new();
    let document = aws_lc_rs::signature::EcdsaKeyPair::generate_pkcs8(
        &aws_lc_rs::signature::ECDSA_P256_SHA256_FIXED_SIGNING,
        &rng,
    );
    let body = STANDARD.encode(document.expect("generates"));
    format!("-----BEGIN PRIVATE KEY-----\n{body}\n-----END PRIVATE KEY-----\n")
}

#[test]
fn a_private_jwk_signs_what_its_public_part_verifies() {
    let keys = SigningKeys::parse(EC_JWK).expect("parses");
    assert_eq!(keys.signing().algorithm(), Algorithm::Es256);
    let published = keys.jwks();
    assert_eq!(published["keys"][0]["x"], "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU");
    assert!(!published.to_string().contains("jpsQnn"), "the private part is published");
    let token = keys.signing().sign(&serde_json::Map::new()).expect("signs");
    let (message, signature) = token.rsplit_once('.').expect("three parts");
    let point = |name: &str| {
        URL_SAFE_NO_PAD.decode(published["keys"][0][name].as_str().expect("text")).expect("base64")
    };
    let public = [vec![4], point("x"), point("y")].concat();
    let signature = URL_SAFE_NO_PAD.decode(signature).expect("base64");
    assert_eq!(signature.len(), 64);
    UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, public)
        .verify(message.as_bytes(), &signature)
        .expect("verifies");
}

#[test]
fn pem_base64_of_pem_and_several_blocks() {
    let (first, second) = (openssl_free_pem(), openssl_free_pem());
    let alone = SigningKeys::parse(&first).expect("pem");
    let encoded = SigningKeys::parse(&STANDARD.encode(&first)).expect("base64");
    assert_eq!(alone.signing().kid(), encoded.signing().kid());
    let both = SigningKeys::parse(&(first + &second)).expect("two");
    assert_eq!(both.signing().kid(), alone.signing().kid());
    assert_eq!(both.jwks()["keys"].as_array().map(Vec::len), Some(2));
}

#[test]
fn the_derived_key_is_the_same_for_the_same_secret() {
    let derive = |secret: [u8; 32]| {
        SigningKeys::derived(&secret).expect("derives").signing().kid().to_owned()
    };
    assert_eq!(derive([7; 32]), derive([7; 32]));
    assert_ne!(derive([7; 32]), derive([8; 32]));
}

#[test]
fn what_is_no_key() {
    let refuse = |text: &str| SigningKeys::parse(text).expect_err(text);
    assert_eq!(refuse(""), KeyError::NoKey);
    assert_eq!(refuse("hello"), KeyError::Format);
    assert_eq!(refuse(&STANDARD.encode("hello")), KeyError::Format);
    assert_eq!(
        refuse("-----BEGIN CERTIFICATE-----\naGk=\n-----END CERTIFICATE-----\n"),
        KeyError::NoKey
    );
    assert_eq!(
        refuse("-----BEGIN PRIVATE KEY-----\naGk=\n-----END PRIVATE KEY-----\n"),
        KeyError::Kind(1)
    );
    assert_eq!(refuse(r#"{"kty":"OKP","crv":"Ed25519","d":"AA"}"#), KeyError::Kind(1));
}
