//! An expression that does not tell the case of ASCII letters. SECURITY: `(?i)` folds all of Unicode,
//! so that `k` would match the Kelvin sign, and `boss@…` an address spelt with `ſ`.

use regex_syntax::ast::{
    Ast, ClassAscii, ClassAsciiKind, ClassBracketed, ClassSet, ClassSetItem, ClassSetRange,
    ClassSetUnion, Literal, LiteralKind, Span,
};

/// Lets every ASCII letter of `ast` stand for itself in both cases. What Unicode calls a category is
/// left as it is.
pub(super) fn in_both_cases(ast: &mut Ast) {
    match ast {
        Ast::Empty(_)
        | Ast::Flags(_)
        | Ast::Dot(_)
        | Ast::Assertion(_)
        | Ast::ClassUnicode(_)
        | Ast::ClassPerl(_) => {}
        Ast::Literal(literal) => {
            if literal.c.is_ascii_alphabetic() {
                let (span, mut item) = (literal.span, ClassSetItem::Literal((**literal).clone()));
                item_in_both_cases(&mut item);
                let kind = ClassSet::Item(item);
                *ast = Ast::class_bracketed(ClassBracketed { span, negated: false, kind });
            }
        }
        Ast::ClassBracketed(class) => match &mut class.kind {
            ClassSet::Item(item) => item_in_both_cases(item),
            // Is refused.
            ClassSet::BinaryOp(_) => {}
        },
        Ast::Repetition(repetition) => in_both_cases(&mut repetition.ast),
        Ast::Group(group) => in_both_cases(&mut group.ast),
        Ast::Alternation(alternation) => alternation.asts.iter_mut().for_each(in_both_cases),
        Ast::Concat(concat) => concat.asts.iter_mut().for_each(in_both_cases),
    }
}

fn item_in_both_cases(item: &mut ClassSetItem) {
    let others = match item {
        ClassSetItem::Literal(literal) => other_cases(literal.span, literal.c, literal.c),
        ClassSetItem::Range(range) => other_cases(range.span, range.start.c, range.end.c),
        ClassSetItem::Ascii(ClassAscii { kind, .. }) => {
            if matches!(kind, ClassAsciiKind::Lower | ClassAsciiKind::Upper) {
                *kind = ClassAsciiKind::Alpha;
            }
            return;
        }
        ClassSetItem::Union(union) => {
            union.items.iter_mut().for_each(item_in_both_cases);
            return;
        }
        // The first and the third have no letters, and a set in a set is refused.
        ClassSetItem::Empty(_)
        | ClassSetItem::Unicode(_)
        | ClassSetItem::Perl(_)
        | ClassSetItem::Bracketed(_) => return,
    };
    let span = *item.span();
    let items = std::iter::once(item.clone()).chain(others).collect();
    *item = ClassSetItem::Union(ClassSetUnion { span, items });
}

/// The ASCII letters from `first` to `last`, in the other case.
fn other_cases(span: Span, first: char, last: char) -> impl Iterator<Item = ClassSetItem> {
    let range = move |low: char, high: char, other: fn(&char) -> char| {
        let (start, end) = (first.max(low), last.min(high));
        let literal = |c: &char| Literal { span, kind: LiteralKind::Verbatim, c: other(c) };
        let range = || ClassSetRange { span, start: literal(&start), end: literal(&end) };
        (start <= end).then(|| ClassSetItem::Range(range()))
    };
    let lower = range('a', 'z', char::to_ascii_uppercase);
    lower.into_iter().chain(range('A', 'Z', char::to_ascii_lowercase))
}
