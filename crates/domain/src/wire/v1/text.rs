//! What may stand in a text: characters that can be seen, and URLs that name a host.

/// Whether no character of the text can be seen.
pub(super) fn is_blank(text: &str) -> bool {
    text.chars().all(|letter| {
        letter.is_whitespace() || is_default_ignorable(letter) || is_blank_filler(letter)
    })
}

/// Whether the character is not shown where a font does not know it (`Default_Ignorable_Code_Point` of Unicode 16).
pub(super) fn is_default_ignorable(letter: char) -> bool {
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
