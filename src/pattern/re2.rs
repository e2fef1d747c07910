//! Reading a regular expression as RE2 does, which is what Envoy uses: `\w`, `\d`, `\s` and `\b` know
//! ASCII alone, while `.`, `[^…]`, `\p{…}` and `(?i)` know all of Unicode. SECURITY: what RE2 would
//! read differently is refused; Envoy and we must agree on what a pattern matches.

use super::fold::in_both_cases;
use regex_syntax::ast::parse::Parser;
use regex_syntax::ast::{
    Assertion, AssertionKind, Ast, ClassAscii, ClassAsciiKind, ClassBracketed, ClassPerl,
    ClassPerlKind, ClassSet, ClassSetItem, Flag, Flags, FlagsItem, FlagsItemKind, Group, GroupKind,
};
use regex_syntax::hir::Hir;
use regex_syntax::hir::translate::{Translator, TranslatorBuilder};

type Refusal = &'static str;

const NESTED: Refusal = "a set holds `[`; write it as `\\[`";
const ALGEBRA: Refusal = "a set holds `&&`, `--` or `~~`; write `\\&`, `\\-` or `\\~`";
const BOUNDARY: Refusal = "of word boundaries only `\\b` and `\\B` are known";

/// The expression `text`, or in one line why it is none.
pub(super) fn parse(text: &str) -> Result<Hir, String> {
    translated(&mut Translator::new(), text, &read(text)?)
}

/// The same, with line breaks among the characters that `.` stands for.
pub(super) fn parse_open(text: &str) -> Result<Hir, String> {
    translated(&mut open(), text, &read(text)?)
}

fn open() -> Translator {
    TranslatorBuilder::new().dot_matches_new_line(true).build()
}

/// As [`parse_open`], for texts in which ASCII letters are the same in either case.
pub(super) fn parse_folded(text: &str) -> Result<Hir, String> {
    let mut ast = read(text)?;
    in_both_cases(&mut ast);
    translated(&mut open(), text, &ast)
}

fn read(text: &str) -> Result<Ast, String> {
    // The parser bounds how deep groups and sets may nest, and with it every recursion below.
    let mut ast = Parser::new().parse(text).map_err(|error| error.kind().to_string())?;
    in_ascii(&mut ast).map_err(str::to_owned)?;
    Ok(ast)
}

fn translated(translator: &mut Translator, text: &str, ast: &Ast) -> Result<Hir, String> {
    translator.translate(text, ast).map_err(|error| error.kind().to_string())
}

/// Turns the Perl classes and word boundaries of `ast` into those of ASCII.
fn in_ascii(ast: &mut Ast) -> Result<(), Refusal> {
    match ast {
        Ast::Empty(_) | Ast::Flags(_) | Ast::Literal(_) | Ast::Dot(_) | Ast::ClassUnicode(_) => {}
        Ast::Assertion(assertion) => {
            if is_boundary(assertion)? {
                *ast = without_unicode(assertion);
            }
        }
        Ast::ClassPerl(class) => {
            let item = ClassSetItem::Ascii(ascii(class));
            let kind = ClassSet::Item(item);
            *ast = Ast::class_bracketed(ClassBracketed { span: class.span, negated: false, kind });
        }
        Ast::ClassBracketed(class) => set_in_ascii(&mut class.kind)?,
        Ast::Repetition(repetition) => in_ascii(&mut repetition.ast)?,
        Ast::Group(group) => in_ascii(&mut group.ast)?,
        Ast::Alternation(alternation) => alternation.asts.iter_mut().try_for_each(in_ascii)?,
        Ast::Concat(concat) => concat.asts.iter_mut().try_for_each(in_ascii)?,
    }
    Ok(())
}

fn is_boundary(assertion: &Assertion) -> Result<bool, Refusal> {
    match assertion.kind {
        AssertionKind::WordBoundary | AssertionKind::NotWordBoundary => Ok(true),
        AssertionKind::StartLine
        | AssertionKind::EndLine
        | AssertionKind::StartText
        | AssertionKind::EndText => Ok(false),
        AssertionKind::WordBoundaryStart
        | AssertionKind::WordBoundaryEnd
        | AssertionKind::WordBoundaryStartAngle
        | AssertionKind::WordBoundaryEndAngle
        | AssertionKind::WordBoundaryStartHalf
        | AssertionKind::WordBoundaryEndHalf => Err(BOUNDARY),
    }
}

/// `(?-u:…)` around an assertion.
fn without_unicode(assertion: &Assertion) -> Ast {
    let span = assertion.span;
    let items = [FlagsItemKind::Negation, FlagsItemKind::Flag(Flag::Unicode)];
    let items = items.into_iter().map(|kind| FlagsItem { span, kind }).collect();
    Ast::group(Group {
        span,
        kind: GroupKind::NonCapturing(Flags { span, items }),
        ast: Box::new(Ast::assertion(assertion.clone())),
    })
}

fn set_in_ascii(set: &mut ClassSet) -> Result<(), Refusal> {
    match set {
        ClassSet::Item(item) => item_in_ascii(item),
        ClassSet::BinaryOp(_) => Err(ALGEBRA),
    }
}

fn item_in_ascii(item: &mut ClassSetItem) -> Result<(), Refusal> {
    match item {
        ClassSetItem::Empty(_)
        | ClassSetItem::Literal(_)
        | ClassSetItem::Range(_)
        | ClassSetItem::Ascii(_)
        | ClassSetItem::Unicode(_) => {}
        ClassSetItem::Perl(class) => *item = ClassSetItem::Ascii(ascii(class)),
        ClassSetItem::Bracketed(_) => return Err(NESTED),
        ClassSetItem::Union(union) => union.items.iter_mut().try_for_each(item_in_ascii)?,
    }
    Ok(())
}

fn ascii(class: &ClassPerl) -> ClassAscii {
    let kind = match class.kind {
        ClassPerlKind::Digit => ClassAsciiKind::Digit,
        ClassPerlKind::Space => ClassAsciiKind::Space,
        ClassPerlKind::Word => ClassAsciiKind::Word,
    };
    ClassAscii { span: class.span, kind, negated: class.negated }
}
