//! What the messages are called and hold, with the comments that tell of it: read once from the compiled
//! file.

use super::message::descriptor_set;
use prost::Message as _;
use prost_types::field_descriptor_proto::{Label, Type};
use prost_types::{DescriptorProto, FileDescriptorProto, FileDescriptorSet};
use std::collections::BTreeMap;
use std::sync::LazyLock;

/// Messages and calls.
#[derive(Debug, Default)]
pub(super) struct Descriptors {
    messages: BTreeMap<String, Message>,
    calls: BTreeMap<String, Call>,
}

/// One message.
#[derive(Debug, Default)]
pub(super) struct Message {
    pub(super) comment: String,
    pub(super) fields: Vec<Field>,
}

/// One field.
#[derive(Debug)]
pub(super) struct Field {
    pub(super) name: String,
    pub(super) comment: String,
    pub(super) holds: Holds,
    pub(super) repeated: bool,
    /// It may be absent; else it is its default.
    pub(super) optional: bool,
    /// It is one of several of which at most one is there.
    pub(super) one_of: bool,
}

/// What a field holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Holds {
    Text,
    Flag,
    Number,
    Time,
    Length,
    Mask,
    Message(String),
}

/// One call.
#[derive(Debug, Default)]
pub(super) struct Call {
    pub(super) comment: String,
    pub(super) request: String,
    pub(super) response: String,
}

/// All of them.
pub(super) fn descriptors() -> &'static Descriptors {
    static ALL: LazyLock<Descriptors> = LazyLock::new(|| {
        let files = FileDescriptorSet::decode(descriptor_set()).unwrap_or_default();
        let ours = |file: &&FileDescriptorProto| file.package() == PACKAGE;
        files.file.iter().find(ours).map(Descriptors::read).unwrap_or_default()
    });
    &ALL
}

const PACKAGE: &str = "lictor.admin.v1";
/// Tags of a file descriptor: its messages and services; of these, fields and methods.
const MESSAGE: i32 = 4;
const SERVICE: i32 = 6;
const INNER: i32 = 2;

impl Descriptors {
    /// A message by its name; an empty one if there is none.
    pub(super) fn message(&self, name: &str) -> &Message {
        static NONE: Message = Message { comment: String::new(), fields: Vec::new() };
        self.messages.get(name).unwrap_or(&NONE)
    }

    #[cfg(test)]
    pub(super) fn messages(&self) -> impl Iterator<Item = (&str, &Message)> {
        self.messages.iter().map(|(name, message)| (name.as_str(), message))
    }

    pub(super) fn call(&self, name: &str) -> Option<&Call> {
        self.calls.get(name)
    }

    #[cfg(test)]
    pub(super) fn calls(&self) -> impl Iterator<Item = (&str, &Call)> {
        self.calls.iter().map(|(name, call)| (name.as_str(), call))
    }

    fn read(file: &FileDescriptorProto) -> Self {
        let places = file.source_code_info.iter().flat_map(|info| &info.location);
        let comments: BTreeMap<&[i32], String> = places
            .filter(|place| place.leading_comments.is_some())
            .map(|place| (place.path.as_slice(), tidy(place.leading_comments())))
            .collect();
        let comment = |path: &[i32]| comments.get(path).cloned().unwrap_or_default();
        let messages = (0..).zip(&file.message_type).map(|(at, message)| {
            let fields = (0..).zip(&message.field);
            let fields = fields.map(|(field_at, _)| {
                let told = comment(&[MESSAGE, at, INNER, field_at]);
                Field::read(message, usize::try_from(field_at).unwrap_or_default(), told)
            });
            let fields = fields.collect::<Option<Vec<_>>>().unwrap_or_default();
            (message.name().to_owned(), Message { comment: comment(&[MESSAGE, at]), fields })
        });
        let calls = (0..).zip(&file.service).flat_map(|(at, service)| {
            (0..).zip(&service.method).map(move |(method_at, method)| (at, method_at, method))
        });
        let calls = calls.map(|(at, method_at, method)| {
            let call = Call {
                comment: comment(&[SERVICE, at, INNER, method_at]),
                request: short(method.input_type()),
                response: short(method.output_type()),
            };
            (method.name().to_owned(), call)
        });
        Self { messages: messages.collect(), calls: calls.collect() }
    }
}

impl Message {
    pub(super) fn field(&self, name: &str) -> Option<&Field> {
        self.fields.iter().find(|field| field.name == name)
    }
}

impl Field {
    fn read(message: &DescriptorProto, at: usize, comment: String) -> Option<Self> {
        let field = message.field.get(at)?;
        let presence = field.proto3_optional();
        let holds = match field.type_name() {
            ".google.protobuf.Timestamp" => Holds::Time,
            ".google.protobuf.Duration" => Holds::Length,
            ".google.protobuf.FieldMask" => Holds::Mask,
            "" if field.r#type() == Type::Bool => Holds::Flag,
            "" if field.r#type() == Type::Uint32 => Holds::Number,
            "" => Holds::Text,
            name => Holds::Message(short(name)),
        };
        let scalar = matches!(holds, Holds::Text | Holds::Flag | Holds::Number);
        let one_of = field.oneof_index.is_some() && !presence;
        let repeated = field.label() == Label::Repeated;
        let optional = !repeated && (presence || one_of || !scalar);
        Some(Self { name: field.name().to_owned(), comment, holds, repeated, optional, one_of })
    }

    /// Whether clients may set it in a change.
    pub(super) fn is_editable(&self) -> bool {
        !self.comment.starts_with("Output only.") && !self.comment.starts_with("Immutable.")
    }
}

/// `ServiceAccount` of `.lictor.admin.v1.ServiceAccount`.
fn short(name: &str) -> String {
    name.rsplit('.').next().unwrap_or_default().to_owned()
}

/// A comment on one line.
fn tidy(comment: &str) -> String {
    comment.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::{Holds, descriptors};

    #[test]
    fn everything_is_told_of() {
        let all = descriptors();
        assert!(all.messages().count() > 80 && all.calls().count() > 40);
        for (name, message) in all.messages() {
            assert!(message.comment.ends_with('.'), "{name}: {}", message.comment);
            for field in &message.fields {
                assert!(!field.comment.is_empty(), "{name}.{}", field.name);
            }
        }
        for (name, call) in all.calls() {
            assert!(call.comment.ends_with('.'), "{name}: {}", call.comment);
            assert!(all.messages().any(|(known, _)| known == call.request), "{}", call.request);
        }
    }

    #[test]
    fn fields_are_read() {
        let account = descriptors().message("ServiceAccount");
        let holds = |name: &str| account.field(name).expect("a field").holds.clone();
        assert_eq!(holds("id"), Holds::Text);
        assert_eq!(holds("expires_at"), Holds::Time);
        assert!(account.field("description").expect("a field").optional);
        assert!(!account.field("name").expect("a field").optional);
        assert!(!account.field("name").expect("a field").is_editable());
        let route = descriptors().message("Route");
        assert!(route.field("prefix").expect("a field").one_of);
        assert!(route.field("policies").expect("a field").repeated);
        assert!(!route.field("description").expect("a field").one_of);
    }
}
