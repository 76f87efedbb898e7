use super::*;

fn found(text: &str) -> Option<Pattern> {
    find(text, Pattern::ALL).map(|found| found.pattern)
}

#[test]
fn obvious_personal_identifiers_are_found() {
    let cases = [
        ("write to amina.yusuf@example.org today", Pattern::Email),
        ("<j+d@mail.gov.ke>", Pattern::Email),
        ("call +254 20 123 4567", Pattern::Phone),
        ("call +254700123456.", Pattern::Phone),
        ("(+254) 700-123-456", Pattern::Phone),
        ("0044 20 7946 0958", Pattern::Phone),
        ("reach us on 0712 345 678", Pattern::Phone),
        ("01 23 45 67 89", Pattern::Phone),
        ("(020) 7946 0958", Pattern::Phone),
        ("555-123-4567", Pattern::Phone),
        ("(555) 123-4567", Pattern::Phone),
        ("Tel: 4567890", Pattern::Phone),
        ("phone no. 456 7890", Pattern::Phone),
        ("passport no. A1234567", Pattern::Passport),
        ("Passport: AB123456", Pattern::Passport),
        ("passport number 123456789", Pattern::Passport),
        (
            "P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<",
            Pattern::Passport,
        ),
        (
            "L898902C36UTO7408122F1204159ZE184226B<<<<<10",
            Pattern::Passport,
        ),
        ("passport no a1234567", Pattern::Passport),
        ("her passport is A1234567.", Pattern::Passport),
        ("passport no. A 1234567", Pattern::Passport),
        ("passport\u{a0}no.\u{a0}A\u{202f}1234567", Pattern::Passport),
        ("passport=A1234567", Pattern::Passport),
        ("amina@пример.рф", Pattern::Email),
        ("amina@exämple.org", Pattern::Email),
        ("+254\u{a0}20\u{a0}123\u{a0}4567", Pattern::Phone),
        ("+254\u{2009}20\u{2009}123\u{2009}4567", Pattern::Phone),
        ("+254\u{202f}20\u{202f}123\u{202f}4567", Pattern::Phone),
        ("+254\u{200b}20\u{200b}123\u{200b}4567", Pattern::Phone),
        ("+254\u{2011}20\u{2011}123\u{2011}4567", Pattern::Phone),
        ("+254–20–123–4567", Pattern::Phone),
        ("0712345678–0712345679", Pattern::Phone),
        ("since 2012 – 0712 345 678", Pattern::Phone),
        ("020 7946 0958–60", Pattern::Phone),
        ("phone=0712345678", Pattern::Phone),
        ("phone_number=4567890", Pattern::Phone),
        ("+254/20/1234567", Pattern::Phone),
        ("+254 20 1234567/fax", Pattern::Phone),
        ("call +254 700 123 456", Pattern::Phone),
        ("Tel. 912 345 678", Pattern::Phone),
    ];
    for (text, pattern) in cases {
        assert_eq!(found(text), Some(pattern), "{text}");
    }
}

#[test]
fn honest_texts_pass() {
    for text in [
        "",
        "2009-2012",
        "the 2030 Agenda",
        "A/RES/73/195 and A/HRC/WG.6/20/L.5",
        "from 2018-12-10 to 2019-01-31, 10-12-2018, 01.02.2014 12:30",
        "150 000 000 people, 1,250,000,000 dollars, 12.500.000 euros, US$ 100 000 000",
        "growth of +12 500 000",
        "Issue passports to 150000 migrants; passport reform 2016; passport 2016-2020",
        "a mobile team for 150 000 people",
        "contact us @home, @ministry and user@localhost",
        "ISBN 978-92-1-130362-9, ISSN 0378-5955",
        "0.123456789 and 0,123456789",
        "sha256 0123456789abcdef0123456789abcdef",
        "0197a5b4-6d1e-7c3a-9f00-3b2a1c0d9e8f",
        "ILO C029 1930, C097, C143; articles 7, 8 and 9",
        "https://example.org/doc/0712345678",
        "a rise of +1 250 000 000 KES, of +1.234.567.890, of +12 500 000 000",
        "a rise of +1\u{202f}250\u{202f}000\u{202f}000 KES",
        "1\u{a0}012\u{a0}345\u{a0}678 people",
        "mobile 1 500 000 people",
        "Mobile: 2 500 000 subscribers, mobile 150 250 000",
        "Objectives 05 06 07 08 09 of the GCM, and 08 09 10 11 12",
        "2009–2012, 01–02–2014, 2018–2019–2020",
        "the passport is 1500000 pages; Passport a 150000 migrants use",
        "passport no reform in 2016",
        "id=0712345678 and ?doc=0712345678",
    ] {
        assert_eq!(found(text), None, "{text}");
    }
}

#[test]
fn only_the_patterns_of_the_policy_are_refused() {
    assert_eq!(find("a@example.org", &[Pattern::Phone]), None);
    assert_eq!(find("a@example.org", &[]), None);
}

#[test]
fn a_url_asks_for_nobody() {
    let found = |url| find_in_url(url, Pattern::ALL).map(|found| found.pattern);
    for url in [
        "https://example.org/?to=amina@example.org&n=1",
        "https://example.org/a?n=1&to=amina%40example.org",
        "https://example.org/#amina@example.org",
    ] {
        assert_eq!(found(url), Some(Pattern::Email), "{url}");
        assert_eq!(find_in_url(url, &[Pattern::Phone]), None);
    }
    let url = "https://example.org/?é=%40&to=amina%40example.org&n=1";
    let place = find_in_url(url, Pattern::ALL).expect("an address");
    assert_eq!(url.get(place.range.clone()), Some("amina%40example.org"));
    assert_eq!(place.chars_before(url), 30);
    for url in [
        "https://example.org/@ministry/0712345678",
        "https://example.org/?doc=0712345678&at=@home",
        "https://example.org/img@2x.png",
    ] {
        assert_eq!(found(url), None, "{url}");
    }
}

#[test]
fn hostile_texts_cost_linear_time() {
    for text in [
        "@",
        "+",
        "1 ",
        "(",
        "a@a.",
        "0 ",
        "passport ",
        "tel ",
        "1\u{a0}",
        "1–",
        "a@ä",
    ] {
        assert!(found(&text.repeat(8000)).is_none_or(|pattern| pattern == Pattern::Phone));
    }
}

#[test]
fn each_identifier_is_located_by_itself() {
    let text =
        "tél. 0712 345 678 or amina.yusuf@example.org. Passport no. A1234567; (020) 7946 0958.";
    let located = |pattern| {
        let mut from = 0;
        std::iter::from_fn(|| {
            let range = locate(text, pattern, from)?;
            from = range.end;
            text.get(range)
        })
        .collect::<Vec<_>>()
    };
    assert_eq!(located(Pattern::Phone), ["0712 345 678", "(020) 7946 0958"]);
    assert_eq!(located(Pattern::Email), ["amina.yusuf@example.org"]);
    assert_eq!(located(Pattern::Passport), ["A1234567"]);
    assert_eq!(locate(text, Pattern::Phone, text.len() + 9), None);
}

#[test]
fn what_is_located_is_the_identifier_and_no_more() {
    for (text, pattern, identifier) in [
        (
            "ring +254\u{a0}20\u{2011}123–4567 today",
            Pattern::Phone,
            "+254\u{a0}20\u{2011}123–4567",
        ),
        ("0712345678–0712345679", Pattern::Phone, "0712345678"),
        ("passport no. A 1234567.", Pattern::Passport, "A 1234567"),
        ("an amina@пример.рф, yes", Pattern::Email, "amina@пример.рф"),
        (
            "連絡amina@example.orgまで",
            Pattern::Email,
            "連絡amina@example.org",
        ),
        ("to a@example.org... more", Pattern::Email, "a@example.org"),
    ] {
        let found = locate(text, pattern, 0).and_then(|range| text.get(range));
        assert_eq!(found, Some(identifier), "{text}");
    }
}

proptest::proptest! {
    #[test]
    fn any_text_can_be_scanned(text in "(\\PC|tel |phone=|passport no |[A-Z] |@a.bc|[0-9+(). /\u{a0}\u{2011}–-]{1,12}){0,40}") {
        for pattern in Pattern::ALL {
            let range = locate(&text, *pattern, 0);
            proptest::prop_assert_eq!(find(&text, &[*pattern]).is_some(), range.is_some());
            if let Some(range) = range {
                proptest::prop_assert!(text.get(range).is_some_and(|found| !found.is_empty()));
            }
        }
    }
}
