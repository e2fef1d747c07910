//! Results of policy tests as JUnit XML, which build servers show.

use super::{Ran, failed};
use quick_xml::Writer;
use quick_xml::events::BytesText;
use std::io;

/// One `testsuite` a file.
pub(super) fn report(ran: &[Ran<'_>]) -> String {
    let mut writer = Writer::new_with_indent(Vec::new(), b' ', 2);
    let written = writer
        .create_element("testsuites")
        .write_inner_content(|writer| ran.iter().try_for_each(|ran| suite(writer, ran)));
    let bytes = written.map(|_| ()).map(|()| writer.into_inner()).unwrap_or_default();
    let body = String::from_utf8(bytes).unwrap_or_default();
    format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n{body}\n")
}

fn suite(writer: &mut Writer<Vec<u8>>, ran: &Ran<'_>) -> io::Result<()> {
    let name = ran.file.display().to_string();
    let (tests, failures) = (ran.outcome.trials.len().to_string(), failed(ran).count().to_string());
    let attributes =
        [("name", name.as_str()), ("tests", tests.as_str()), ("failures", failures.as_str())];
    let element = writer.create_element("testsuite").with_attributes(attributes);
    element.write_inner_content(|writer| {
        for trial in &ran.outcome.trials {
            let called = printable(&trial.name);
            let attributes = [("classname", name.as_str()), ("name", called.as_str())];
            let case = writer.create_element("testcase").with_attributes(attributes);
            if trial.failures.is_empty() {
                case.write_empty()?;
                continue;
            }
            let message = trial.failures.join("; ");
            let mut told = vec![trial.place.to_string()];
            told.extend(trial.decided.iter().cloned());
            let told = printable(&told.join("\n"));
            case.write_inner_content(|writer| {
                let message = printable(&message);
                let failure = writer.create_element("failure");
                failure
                    .with_attribute(("message", message.as_str()))
                    .write_text_content(BytesText::new(&told))?;
                Ok(())
            })?;
        }
        Ok(())
    })?;
    Ok(())
}

/// Without the control characters that XML 1.0 cannot hold.
fn printable(text: &str) -> String {
    let allowed = |c: &char| !c.is_control() || matches!(c, '\n' | '\t');
    text.chars().filter(allowed).collect()
}
