//! What an unquoted scalar means: YAML 1.2 core schema, with the octal numbers and the dates that
//! Pomerium's reader knows besides.

use super::yaml::{LoadError, error};
use super::{Number, Place, Value};

/// The value of a plain (unquoted) scalar.
pub(super) fn resolve(text: &str, place: &Place) -> Result<Value, LoadError> {
    Ok(match text {
        "" | "~" | "null" | "Null" | "NULL" => Value::Null,
        "true" | "True" | "TRUE" => Value::Bool(true),
        "false" | "False" | "FALSE" => Value::Bool(false),
        _ => match number(text) {
            Some(Number::Float(value)) if !value.is_finite() => {
                return Err(error(
                    "yaml_syntax",
                    place,
                    format!("`{text}` is not a finite number"),
                ));
            }
            Some(number) => Value::Number(number),
            None if is_date(text) => Value::Text(format!("{text}T00:00:00Z")),
            None => Value::Text(text.to_owned()),
        },
    })
}

fn number(text: &str) -> Option<Number> {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    if matches!(unsigned, ".inf" | ".Inf" | ".INF" | ".nan" | ".NaN" | ".NAN") {
        return Some(Number::Float(f64::INFINITY));
    }
    let first = unsigned.bytes().next()?;
    if !(first.is_ascii_digit() || first == b'.') {
        return None;
    }
    let unsigned = unsigned.replace('_', "");
    let sign = if text.starts_with('-') { -1 } else { 1 };
    let radix = |digits: &str, radix: u32| {
        let plain = !digits.is_empty() && digits.chars().all(|c| c.is_digit(radix));
        let value = plain.then(|| i128::from_str_radix(digits, radix).ok()).flatten()?;
        Some(Number::Integer(value.checked_mul(sign)?))
    };
    for (prefix, base) in [("0x", 16), ("0o", 8), ("0b", 2)] {
        if let Some(digits) = unsigned.strip_prefix(prefix) {
            return radix(digits, base);
        }
    }
    let octal = unsigned.len() > 1 && unsigned.starts_with('0');
    if let Some(integer) = if octal { radix(&unsigned, 8) } else { radix(&unsigned, 10) } {
        return Some(integer);
    }
    let float_shape =
        |byte: u8| byte.is_ascii_digit() || matches!(byte, b'.' | b'e' | b'E' | b'-' | b'+');
    let float: Option<f64> =
        unsigned.bytes().all(float_shape).then(|| unsigned.parse().ok()).flatten();
    float.map(|value| Number::Float(if sign < 0 { -value } else { value }))
}

/// A day such as `2020-01-02`, which YAML 1.1 readers take for midnight of that day.
fn is_date(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.len() == 10
        && bytes.iter().enumerate().all(|(index, byte)| match index {
            4 | 7 => *byte == b'-',
            _ => byte.is_ascii_digit(),
        })
        && text.parse::<jiff::civil::Date>().is_ok()
}
