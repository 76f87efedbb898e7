//! What may stand in a text: characters that can be seen, and URLs that name a host.

/// Whether no character of the text can be seen.
pub(super) fn is_blank(text: &str) -> bool {
    text.chars().all(|letter| {
        letter.is_whitespace() || is_default_ignorable(letter) || is_blank_filler(letter)
    })
}

/// Whether the character is not shown where a font does not know it (`Default_Ignorable_Code_Point` of Unicode 16).
pub(crate) fn is_default_ignorable(letter: char) -> bool {
    matches!(
        letter,
        '\u{ad}'
            | '\u{34f}'
            | '\u{61c}'
            | '\u{115f}'..='\u{1160}'
            | '\u{17b4}'..='\u{17b5}'
            | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}'
            | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{3164}'
            | '\u{fe00}'..='\u{fe0f}'
            | '\u{feff}'
            | '\u{ffa0}'
            | '\u{fff0}'..='\u{fff8}'
            | '\u{1bca0}'..='\u{1bca3}'
            | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{e0fff}'
    )
}

/// Characters with a name of their own and no ink: a Braille cell without dots, the marks around annotations, a musical blank.
fn is_blank_filler(letter: char) -> bool {
    matches!(letter, '\u{2800}' | '\u{fff9}'..='\u{fffb}' | '\u{1d159}')
}

/// Whether the character breaks a line, or turns the direction of what follows: in one line, it shows another text than it is.
pub(super) fn disorders_line(letter: char) -> bool {
    matches!(
        letter,
        '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
    )
}

/// Whether a text of one line is refused for this character: it is a control character, breaks the line or turns its direction.
pub(super) fn is_refused_in_line(letter: char) -> bool {
    letter.is_control() || disorders_line(letter)
}

/// Whether a free text is refused for this character: a control character that is neither a line end nor a tab.
pub(super) fn is_refused_in_text(letter: char) -> bool {
    letter.is_control() && !matches!(letter, '\n' | '\t' | '\r')
}

/// A name, title or unit without the characters for which the ledger refuses it: what breaks a line is a space, as other
/// control characters are. What turns a direction is left out, as it shows nothing.
pub fn clean_line(text: &str) -> String {
    let spaced = |letter| {
        if is_refused_in_line(letter) {
            ' '
        } else {
            letter
        }
    };
    text.chars()
        .filter(|letter| turns_nothing(*letter))
        .map(spaced)
        .collect()
}

/// A free text without what the ledger refuses in a free text, or would refuse in a title cut from it: control characters
/// are spaces, separators of lines and paragraphs are line feeds, and what turns a direction is left out.
pub fn clean_text(text: &str) -> String {
    let spaced = |letter| match letter {
        '\u{2028}' | '\u{2029}' => '\n',
        _ if is_refused_in_text(letter) => ' ',
        _ => letter,
    };
    text.chars()
        .filter(|letter| turns_nothing(*letter))
        .map(spaced)
        .collect()
}

fn turns_nothing(letter: char) -> bool {
    !matches!(letter, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// What is wrong with a URL, if anything is: it is one of the web that names a host and nobody.
pub(super) fn fault_of_url(url: &str) -> Option<&'static str> {
    const SCHEME: &str =
        "the URL must begin with https:// or http:// and have no spaces or invisible characters";
    const HOST: &str = "the URL names no host; write it after the scheme, like https://example.org";
    const USER: &str = "the URL names a user before its host; leave out what stands before the @";
    let unseen = |letter: char| letter.is_whitespace() || is_default_ignorable(letter);
    let web =
        |scheme: &str| scheme.eq_ignore_ascii_case("https") || scheme.eq_ignore_ascii_case("http");
    let Some((_, rest)) = url
        .split_once("://")
        .filter(|(scheme, _)| web(scheme) && !url.contains(unseen))
    else {
        return Some(SCHEME);
    };
    // Some readers take a backslash for a slash, others for a part of the host.
    let authority = rest.split(['/', '?', '#', '\\']).next().unwrap_or_default();
    if authority.contains('@') {
        return Some(USER);
    }
    let host = match authority.strip_prefix('[') {
        Some(address) => address.split(']').next(),
        None => authority.split(':').next(),
    };
    let named = host.is_some_and(|host| host.contains(char::is_alphanumeric));
    (!named
        || rest
            .get(authority.len()..)
            .is_some_and(|path| path.starts_with('\\')))
    .then_some(HOST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_without_a_visible_character_is_blank() {
        for text in [
            "",
            " \n\t",
            "\u{200b}",
            "\u{feff}\u{200d}",
            "\u{3164}",
            "\u{2800} \u{2800}",
            "\u{ad}",
            "\u{115f}\u{1160}\u{ffa0}",
            "\u{fe0f}\u{e0041}",
        ] {
            assert!(is_blank(text), "{text:?}");
        }
        for text in [
            "x",
            "\u{200b}x",
            "é",
            "漢",
            "\u{200f}ש",
            "👩\u{200d}🌾",
            "—",
            "0",
        ] {
            assert!(!is_blank(text), "{text:?}");
        }
    }

    #[test]
    fn a_cleaned_text_has_nothing_that_is_refused() {
        let text = "a\u{2028}b\u{2029}c\u{202b}d\u{202c}\u{2067}e\u{2069}\u{7}f\ng\u{85}\u{200f}";
        assert_eq!(clean_line(text), "a b cde f g \u{200f}");
        assert_eq!(clean_text(text), "a\nb\ncde f\ng \u{200f}");
        for letter in '\0'..=char::MAX {
            let text = format!("x{letter}x");
            assert!(
                !clean_line(&text).contains(is_refused_in_line),
                "{letter:?}"
            );
            assert!(
                !clean_text(&text).contains(is_refused_in_text),
                "{letter:?}"
            );
        }
    }

    #[test]
    fn a_url_names_a_host_and_nobody() {
        for url in [
            "https://example.org",
            "HTTP://example.org:8080/a?b#c",
            "Https://пример.рф/@ministry?to=a@b",
            "https://[2001:db8::1]:443/x",
            "http://127.0.0.1",
        ] {
            assert_eq!(fault_of_url(url), None, "{url}");
        }
        for url in [
            "",
            "example.org",
            "ftp://example.org",
            "https:/example.org",
            "https://",
            "https:///path",
            "https://:443/",
            "https://?q",
            "https://./",
            "https://example.org\\@other.org",
            "https://user:password@example.org",
            "https://amina@example.org/",
            "https://exa mple.org",
            "https://example.org/\u{200b}",
            "https://example.org/\u{ad}x",
            "https://example.org/\u{202e}x",
            "https://example.org/\u{200d}",
        ] {
            assert!(fault_of_url(url).is_some(), "{url}");
        }
    }
}
