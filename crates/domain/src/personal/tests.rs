use super::*;

mod labels;

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
fn identifiers_are_found_in_every_script_and_width() {
    for (text, pattern) in [
        ("اتصل على +٢٥٤ ٧١٢ ٣٤٥ ٦٧٨", Pattern::Phone),
        ("تماس +۹۸ ۲۱ ۱۲۳۴ ۵۶۷۸", Pattern::Phone),
        ("फोन +९१ ९८७६५ ४३२१०", Pattern::Phone),
        ("call ＋２５４　７１２　３４５　６７８", Pattern::Phone),
        ("（０２０）　７９４６　０９５８", Pattern::Phone),
        ("０７１２－３４５－６７８", Pattern::Phone),
        ("০১৭১২ ৩৪৫৬৭৮", Pattern::Phone),
        ("+𝟐𝟓𝟒 𝟕𝟏𝟐 𝟑𝟒𝟓 𝟔𝟕𝟖", Pattern::Phone),
        ("\u{202a}+254 712 345 678\u{202c}", Pattern::Phone),
        ("+254\u{200e} 712\u{200f} 345\u{ad} 678", Pattern::Phone),
        ("0️⃣7️⃣1️⃣2️⃣3️⃣4️⃣5️⃣6️⃣7️⃣8️⃣", Pattern::Phone),
        ("write to amina＠example.org", Pattern::Email),
        (
            "write to ａｍｉｎａ＠ｅｘａｍｐｌｅ．ｏｒｇ",
            Pattern::Email,
        ),
        ("amina﹫example.org", Pattern::Email),
        ("ami\u{200b}na@exam\u{ad}ple.org", Pattern::Email),
        ("passport no. Ａ１２３４５６７", Pattern::Passport),
        ("جواز السفر رقم A١٢٣٤٥٦٧", Pattern::Passport),
    ] {
        let place = find(text, Pattern::ALL);
        assert_eq!(
            place.as_ref().map(|found| found.pattern),
            Some(pattern),
            "{text}"
        );
        let range = place.expect("a place").range;
        assert!(text.get(range).is_some(), "{text}");
    }
    let text = "اتصل على +٢٥٤ ٧١٢ ٣٤٥ ٦٧٨ الآن";
    let place = find(text, Pattern::ALL).expect("a number");
    assert_eq!(text.get(place.range.clone()), Some("+٢٥٤ ٧١٢ ٣٤٥ ٦٧٨"));
    assert_eq!(place.chars_before(text), 9);
}

#[test]
fn labels_in_the_languages_of_the_united_nations_announce_a_phone_or_a_passport() {
    for (text, pattern) in [
        ("Teléfono: 4567890", Pattern::Phone),
        ("Te\u{301}l : 45 67 89", Pattern::Phone),
        ("móvil 612 34 56 78", Pattern::Phone),
        ("тел. 456 78 90", Pattern::Phone),
        ("ТЕЛЕФОН: 45-67-89", Pattern::Phone),
        ("电话：６５５２９９８８", Pattern::Phone),
        ("联系电话是65529988", Pattern::Phone),
        ("手机号码 138 1234 5678", Pattern::Phone),
        ("هاتف: ٤٥٦٧٨٩٠", Pattern::Phone),
        ("رقم الهاتف ٤٥٦٧٨٩٠", Pattern::Phone),
        ("Telephone (61) 3216-2010/2045", Pattern::Phone),
        ("Phone and e-mail 02/3112-255", Pattern::Phone),
        (
            "Email and Phone\t[email removed]\n91 018 43 64Other actors",
            Pattern::Phone,
        ),
        (
            "Email and phone number Amina Yusuf, 333 4203",
            Pattern::Phone,
        ),
        ("Tel.0712345678", Pattern::Phone),
        ("0712 345 678Timeline", Pattern::Phone),
        ("8 (495) 123-45-67", Pattern::Phone),
        ("Паспорт № 451012345", Pattern::Passport),
        ("паспорт 45 10 123456", Pattern::Passport),
        ("паспорт серия 4510 № 123456", Pattern::Passport),
        ("护照号 E12345678", Pattern::Passport),
        ("她的护照号码是E12345678", Pattern::Passport),
        ("護照：E12345678", Pattern::Passport),
        ("جواز السفر رقم A1234567", Pattern::Passport),
        ("وجواز سفره A1234567", Pattern::Passport),
        ("pasaporte n.º A1234567", Pattern::Passport),
        ("Passeport : 12AB34567", Pattern::Passport),
        ("Passport: 123456789", Pattern::Passport),
    ] {
        assert_eq!(found(text), Some(pattern), "{text}");
    }
}

/// Forms that national plans have, with numbers of this test's own.
#[test]
fn numbers_of_many_countries_are_found_in_their_forms() {
    for number in [
        "+44 20 7946 0958",
        "+49 30 901820",
        "+33 1 23 45 67 89",
        "+1 212-555-0147",
        "+55 61 3216-2010",
        "+7 495 123-45-67",
        "+86 10 6552 9988",
        "+91 98765 43210",
        "+66 2 123 4567",
        "+376 712 345",
        "+683 7012",
        "+298 20 12 34",
        "+353 1 234 5678",
        "+972 2-123-4567",
        "+81 3-1234-5678",
        "+5511912345678",
        "+996555123456",
        "+254 7123 4567",
    ] {
        assert_eq!(found(number), Some(Pattern::Phone), "{number}");
    }
    for number in [
        "2123 4567",
        "712 345",
        "22 12 34 56",
        "601 123 45 67",
        "8 618 72 994",
        "1 234 567",
        "20.12.34",
        "3 81234",
        "21-123",
        "(2) 123 4567",
        "64 847-9-111",
        "2/123 45 67",
    ] {
        let labelled = format!("Tel.: {number}");
        assert_eq!(found(&labelled), Some(Pattern::Phone), "{labelled}");
        assert_eq!(found(number), None, "{number}");
    }
}

#[test]
fn an_id_is_screened_as_a_text_of_words_and_by_its_digits() {
    for (id, pattern) in [
        ("254712345678", Pattern::Phone),
        ("00254-712-345-678", Pattern::Phone),
        ("0712345678", Pattern::Phone),
        ("0712-345-678", Pattern::Phone),
        ("phone-4567890", Pattern::Phone),
        ("amina_0712345678", Pattern::Phone),
        ("amina-0712345678", Pattern::Phone),
        ("mobile_0712_345_678", Pattern::Phone),
        ("p-254712345678", Pattern::Phone),
        ("T-254712345678", Pattern::Phone),
        ("KEN-254712345678", Pattern::Phone),
        ("254-712345678-a", Pattern::Phone),
        ("p_254_712_345_678", Pattern::Phone),
        ("2026-254712345678", Pattern::Phone),
        ("amina254712345678", Pattern::Phone),
        ("amina0712345678", Pattern::Phone),
        ("0712345678amina", Pattern::Phone),
        ("amina0712-345-678", Pattern::Phone),
        ("a0712345678", Pattern::Phone),
        ("no-0712345678", Pattern::Phone),
        ("no-0201234567", Pattern::Phone),
        ("id-0712345678", Pattern::Phone),
        ("id_0712345678", Pattern::Phone),
        ("passport-A1234567", Pattern::Passport),
        ("passport_no_123456789", Pattern::Passport),
    ] {
        let place = find_in_id(id, Pattern::ALL);
        assert_eq!(place.map(|found| found.pattern), Some(pattern), "{id}");
    }
    for id in [
        "KEN",
        "NBO",
        "GCM-2018",
        "IMRF-2022",
        "SDG-10.7",
        "2014-2",
        "GB-COH-01234567",
        "XM-DAC-41114",
        "US-EIN-12-3456789",
        "2018-2020",
        "IMRF-2026-05-07",
        "20260507",
        "0197a5b4-6d1e-7c3a-9f00-3b2a1c0d9e8f",
        "GCM-05a",
        "SDG-10.7.2",
        "FR-SIRET-73282932000074",
        "isni-0000000121032683",
        "orcid-0000-0002-1825-0097",
        "RU-OGRN-5027700132195",
        "BE-BCE_KBO-0417497106",
        "BE0417497106",
        "FR40303265045",
        "gtin-4912345678904",
        "IMP-202605071230",
        "GCM-2018-2020-0001",
        "T-1-2018-000123",
        "case-0123456789",
        "3b0712345678fa",
        "12345678-1234-4123-8123-254712345678",
        "GB-CHC-1234567",
        "1764493637",
        "a",
        "-",
        "",
    ] {
        assert_eq!(find_in_id(id, Pattern::ALL), None, "{id}");
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
fn a_tab_is_a_space_and_a_line_end_hides_no_number_that_is_dialled_or_announced() {
    for text in [
        "call +254 712\t345 678",
        "Phone:\t+254\t712\t345\t678",
        "0712\t345\t678",
        "call +254 712\n345 678",
        "call +254 712\r\n345 678",
        "call +254 712\r345 678",
        "+254 712 345\r\n678",
        "+254 712\u{2028}345 678",
        "+254 712\u{2029}345 678",
        "+254 712\u{85}345 678",
        "+254\n712\n345\n678",
        "+254 712 \n   345 678",
        "+254 712-\n345-678",
        "Phone: +254 712\n345 678\n2. The next item",
        "00254 712\n345 678",
        "00 254 712\n345 678",
        "Tel.: 0712\n345 678",
        "Tel.: 456\n7890",
        "tel. 0712\u{2028}345 678",
        "电话：６５５２\u{2028}９９８８",
        "[email removed], 91 018\n43 64",
        "Tel.:\n0712\n345 678",
        "+٢٥٤ ٧١٢\n٣٤٥ ٦٧٨",
        "Phone\u{2028}4567890",
        "Phone\r4567890",
    ] {
        assert_eq!(found(text), Some(Pattern::Phone), "{text:?}");
    }
    for text in [
        "amina@\nexample.org",
        "amina@\r\nexample.org",
        "amina@\u{2028}example.org",
        "amina@ \n example.org",
    ] {
        assert_eq!(found(text), Some(Pattern::Email), "{text:?}");
    }
    for text in [
        "passport no.\tA1234567",
        "passport\nno. A1234567",
        "Passport:\u{2028}A 1234567",
        "passport no. A\t1234567",
    ] {
        assert_eq!(found(text), Some(Pattern::Passport), "{text:?}");
    }
    for text in [
        "2018\t2019\n2020\t2021",
        "01.01.2018\n31.12.2018\n2. To evaluate",
        "0712\n345 678",
        "Mobile\n2018 2019\n3.2 Drafting",
        "Mobile\n1\n2\n3\n4\n5\n6\n7 teams\n2018 100",
        "Mobile\n1200\n3400",
        "Mobile phones: 1200\n3400 tablets",
        "mobile 1200\n3400 fixed",
        "Phone line\n2018\n2019 2020 2021",
        "+20\n2018 2019",
        "a rise of +1 250\n000 000 KES, of +12\n500 000 trees",
        "Telephone calls: 12 345\n2. Visits: 678",
        "the toll\nfree number 0800 123 456",
        "a hot\tline: 0800 123 456",
        "hotline: 0800\n123 456",
        "mobile 1534200\tpeople",
        "Tender no. 213\n310\n2020",
        "follow us\n@data.gov, or user@\nlocalhost",
    ] {
        assert_eq!(found(text), None, "{text:?}");
    }
}

#[test]
fn a_number_of_two_lines_is_masked_to_its_end_and_no_further() {
    for (text, number) in [
        ("Phone: +254 712\n345 678\n2. Next", "+254 712\n345 678"),
        ("Phone: +254 712\r\n345 678\n2020", "+254 712\r\n345 678"),
        ("+254 20 123 4567\n60 people", "+254 20 123 4567"),
        ("Tel.: 4567890\n2018", "4567890"),
        ("+254\u{2028}712\n345\n678.", "+254\u{2028}712\n345\n678"),
    ] {
        let found = locate(text, Pattern::Phone, 0).and_then(|range| text.get(range));
        assert_eq!(found, Some(number), "{text:?}");
    }
}

#[test]
fn a_number_that_is_glued_to_a_word_is_found() {
    for text in [
        "+254712345678x",
        "+254712345678X",
        "+254712345678and",
        "+254712345678Email",
        "+254712345678KES",
        "+254712345678_amina",
        "+254712345678x12",
        "Amina+254712345678",
        "Amina,+254712345678",
        "tel=+254712345678",
        "call 0712345678Amina",
        "call 0712345678and",
        "call 0712345678Email",
        "call 0712345678AMINA",
        "call 0712345678x",
        "call 0712345678x12",
        "call 0712345678-Amina",
        "call 0712345678/Amina",
        "0712 345 678x",
        "555-123-4567x89",
        "tel 4567890x",
        "00254712345678Amina",
        "0712345678Амина",
    ] {
        assert_eq!(found(text), Some(Pattern::Phone), "{text:?}");
    }
    for text in [
        "0123456789abcdef",
        "0123456789ABCDEF and 0712345678a1b2",
        "ISBN 030640615X and 030640615X",
        "0712345678_2.pdf",
        "0712345678-a1",
        "https://example.org/doc/0712345678/edit",
        "+250000000trees",
        "12345678people",
    ] {
        assert_eq!(found(text), None, "{text:?}");
    }
}

#[test]
fn an_ideographic_full_stop_parts_the_names_of_a_domain_and_ends_a_sentence() {
    for (text, address) in [
        ("write to amina＠example。org", "amina＠example。org"),
        ("amina@example。org", "amina@example。org"),
        ("amina@mail。example。org", "amina@mail。example。org"),
        ("amina@example｡org", "amina@example｡org"),
        ("amina@example．org", "amina@example．org"),
        ("amina@例え。jp", "amina@例え。jp"),
        ("amina@例子。中国", "amina@例子。中国"),
        ("发送至amina@example.org。谢谢", "发送至amina@example.org"),
        ("发送至amina@example.org。", "发送至amina@example.org"),
    ] {
        let found = locate(text, Pattern::Email, 0).and_then(|range| text.get(range));
        assert_eq!(found, Some(address), "{text:?}");
    }
    for text in ["请联系@张三。谢谢大家", "user@localhost。", "@example。org"] {
        assert_eq!(found(text), None, "{text:?}");
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
        "(1",
        "1(",
        "0 (1) ",
        "tel 1,",
        "tel 1234567 x ",
        "1/",
        "+1/",
        "٣ ",
        "\u{200f}1",
        "护照1 ",
        "Amina 1 ",
        "+1\n",
        "tel 1\n1",
        "1\t",
        "a@a。",
        "a@\n",
        "+1\r\n   ",
        "1234567x",
        "hotline of a (",
        "hotline 24 7 ",
        "phone (a) 12345 ",
        "no. 12345 (",
        "0712345678 (hotline",
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
    fn any_text_can_be_scanned(text in "(\\PC|tel |hotline |[Cc]ase no |电话|护照号|паспорт |phone=|passport no |[A-Z] |@a.bc|＠|[٠-٩]{1,9}|[0-9+(). /,\t\n\r。\u{2028}\u{a0}\u{2011}\u{200f}–-]{1,12}){0,40}") {
        for pattern in Pattern::ALL {
            let range = locate(&text, *pattern, 0);
            proptest::prop_assert_eq!(find(&text, &[*pattern]).is_some(), range.is_some());
            if let Some(range) = range {
                proptest::prop_assert!(text.get(range).is_some_and(|found| !found.is_empty()));
            }
        }
    }
}
