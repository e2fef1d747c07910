//! A unary gRPC call by itself: one message comes in, one goes out. What the generated code would do besides
//! (streams, compression, buffers for large messages) is not needed here, and is most of its cost.
//! (gRPC over HTTP/2: `PROTOCOL-HTTP2.md` of the gRPC project.)

use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue, Request, Response};
use http_body::Frame;
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use hyper::body::Incoming;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;
use tonic::Status;
use tonic::body::Body;
use tonic::codegen::Bytes;
use tonic::metadata::GRPC_CONTENT_TYPE;

/// Before a message: whether it is compressed, and its length.
const PREFIX: usize = 5;
/// The longest message that is read, in bytes. Envoy sends a body along only as far as it was told to.
const LONGEST: usize = 4 << 20;

/// Why the message of a call is not read.
#[derive(Debug)]
pub(super) enum Unread {
    /// Whoever is before the client that calls may have made it so long.
    TooLong,
    /// Only a client that speaks no gRPC, or no whole of it, sends this.
    Broken(Status),
}

/// The message of a call.
///
/// # Errors
/// There is none, more than one, or one that cannot be read.
pub(super) async fn message(mut body: Incoming) -> Result<Bytes, Unread> {
    // What comes in one piece, as nearly always, is not copied.
    match Limited::new(&mut body, PREFIX + LONGEST).collect().await {
        Ok(whole) => unframed(&whole.to_bytes()).map_err(Unread::Broken),
        Err(error) if error.is::<LengthLimitError>() => {
            hear_out(body).await;
            Err(Unread::TooLong)
        }
        Err(_) => Err(Unread::Broken(Status::cancelled("the message did not come whole"))),
    }
}

/// Takes what comes to its end, and keeps nothing of it. INVARIANT: nobody is answered before. A call that is would
/// be broken off; what of it is still on its way would count as a mistake of the client, and after a thousand of
/// these the HTTP/2 library ends the connection with all the checks on it.
pub(super) async fn hear_out(mut body: Incoming) {
    while let Some(Ok(_)) = body.frame().await {}
}

fn unframed(whole: &Bytes) -> Result<Bytes, Status> {
    let Some((prefix, rest)) = whole.split_first_chunk::<PREFIX>() else {
        return Err(Status::internal("there is no message"));
    };
    let [compressed, length @ ..] = prefix;
    if *compressed != 0 {
        return Err(Status::unimplemented("compressed messages are not read"));
    }
    if usize::try_from(u32::from_be_bytes(*length)) != Ok(rest.len()) {
        return Err(Status::internal("the message has not the length it says"));
    }
    Ok(whole.slice(PREFIX..))
}

/// The answer to a call.
pub(super) fn answer(result: Result<Bytes, Status>) -> Response<Reply> {
    let message = match result {
        Ok(message) => message,
        Err(status) => return status.into_http::<Body>().map(Reply::Other),
    };
    let mut response = Response::new(Reply::Message(message));
    response.headers_mut().insert(CONTENT_TYPE, GRPC_CONTENT_TYPE);
    response
}

/// The body of an answer.
#[derive(Debug)]
pub(super) enum Reply {
    /// One message, and then that all went well.
    Message(Bytes),
    Trailers,
    Ended,
    /// Of another service, or a failure.
    Other(Body),
}

/// A message as it stands in a call.
fn framed(message: &Bytes) -> Bytes {
    let mut framed = Vec::with_capacity(PREFIX + message.len());
    framed.push(0);
    framed.extend_from_slice(&u32::try_from(message.len()).unwrap_or(u32::MAX).to_be_bytes());
    framed.extend_from_slice(message);
    framed.into()
}

impl http_body::Body for Reply {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let reply = self.get_mut();
        if let Self::Other(body) = reply {
            return Pin::new(body).poll_frame(cx);
        }
        Poll::Ready(match std::mem::replace(reply, Self::Ended) {
            Self::Message(message) => {
                *reply = Self::Trailers;
                Some(Ok(Frame::data(framed(&message))))
            }
            Self::Trailers => {
                let ok = (Status::GRPC_STATUS, HeaderValue::from_static("0"));
                Some(Ok(Frame::trailers(HeaderMap::from_iter([ok]))))
            }
            Self::Ended | Self::Other(_) => None,
        })
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Message(_) | Self::Trailers => false,
            Self::Ended => true,
            Self::Other(body) => body.is_end_stream(),
        }
    }
}

/// The `traceparent` of a call.
pub(super) fn traceparent(request: &Request<Incoming>) -> Option<String> {
    let value = request.headers().get("traceparent")?;
    value.to_str().ok().map(str::to_owned)
}

/// How long the client waits for the answer to a call, if it says (`grpc-timeout`): at most eight digits and a
/// unit.
pub(super) fn timeout(request: &Request<Incoming>) -> Option<Duration> {
    read_timeout(request.headers().get("grpc-timeout")?.to_str().ok()?)
}

fn read_timeout(text: &str) -> Option<Duration> {
    let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    if digits.len() > 8 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let count: u32 = digits.parse().ok()?;
    let one = match unit {
        "H" => Duration::from_hours(1),
        "M" => Duration::from_mins(1),
        "S" => Duration::from_secs(1),
        "m" => Duration::from_millis(1),
        "u" => Duration::from_micros(1),
        "n" => Duration::from_nanos(1),
        _ => return None,
    };
    Some(one * count)
}

#[cfg(test)]
mod tests {
    use super::read_timeout;
    use std::time::Duration;

    #[test]
    fn how_long_a_client_waits() {
        let check = |text: &str, expected| assert_eq!(read_timeout(text), expected, "{text:?}");
        check("250m", Some(Duration::from_millis(250)));
        check("1S", Some(Duration::from_secs(1)));
        check("99999999n", Some(Duration::from_nanos(99_999_999)));
        check("99999999H", Some(Duration::from_hours(99_999_999)));
        check("0u", Some(Duration::ZERO));
        for text in ["", "S", "1", "1s", "+1S", "-1S", "1.5S", "123456789S", "1é", "1 S"] {
            check(text, None);
        }
    }
}
