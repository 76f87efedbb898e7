//! The surroundings of a number: labels, published lines, units and documents; and the forms next
//! to those that are known.

use super::*;

#[test]
fn a_published_line_may_be_named() {
    for text in [
        "the hotline 0800 123 456",
        "Hot line: +254 20 123 4567",
        "toll-free number 0800 720 501, every day",
        "a helpline (0800 123 456)",
        "hotline telephone number: 0712 345 678",
        "numéro vert : 0800 12 34 56",
        "línea gratuita 0800 123 456",
        "телефон горячей линии 8 (800) 123-45-67",
        "热线电话：０８００１２３４５６",
        "الخط الساخن ٠٨٠٠١٢٣٤٥٦",
        "hotlines 1195 / 0800 221 444",
        "ligne d’écoute 0800 123 456",
        "numéro d’urgence 0800 123 456",
        "ligne d’assistance : 0800 123 456",
        "ligne d\u{2bc}assistance : 0800 123 456",
        "toll-free line 0800 123 456",
        "toll free line: +254 800 720 501",
        "numéro vert gratuit 0800 12 34 56",
        "helpline, 0800 123 456",
        "hotline 24h: 0800 123 456",
        "national hotline (24/7): 0800 123 456",
        "hotline 24/7 0800 123 456",
        "hotline open 24 hours a day: 0800 123 456",
        "hotline of the Ministry: 0800 123 456",
        "hotline of the Ministry of Labour: 0800 123 456",
        "hotline in Kampala: 0800 123 456",
        "ligne d’écoute du ministère : 0800 123 456",
        "0800 123 456 (hotline)",
        "call 0800 123 456 (our toll-free line, 24/7)",
        "0800 123 456（热线）",
        "全国热线（24小时）：0800123456",
        "0800 123 456 (toll-free number)",
        "le 0800 12 34 56 (numéro gratuit, 24h/24 et 7j/7)",
        "hotline to report abuse: 0800 123 456",
    ] {
        assert_eq!(found(text), None, "{text}");
    }
    for text in [
        "the hotline and Amina's mobile 0712 345 678",
        "no hotline answers; call 0712 345 678",
        "the hotline, mobile 0712 345 678",
        "a hotline in Kampala, Amina: 0712 345 678",
        "a hotline in Kampala or Amina: 0712 345 678",
        "the hotline of the Ministry is closed: 0712 345 678",
        "the hotline of the Ministry failed; call: 0712 345 678",
        "0712 345 678 (Amina, hotline)",
        "0712 345 678 (hotline of Amina)",
        "0712 345 678 (no hotline)",
    ] {
        assert_eq!(found(text), Some(Pattern::Phone), "{text}");
    }
}

#[test]
fn neighbours_of_known_forms_are_found_too() {
    for text in [
        "call me 0712345678please",
        "0712345678PLEASE",
        "0712345678звоните",
        "1-202-555-0147",
        "1 (202) 555-0147",
        "1 202-555-0147",
        "8-916-123-45-67",
        "8 916 123-45-67",
        "8-916-1234567",
        "0712/345678",
        "0712/345 678",
        "030/1234567",
        "011 254 712 345 678",
        "011-254-712-345-678",
        "0011 254 712 345 678",
    ] {
        assert_eq!(found(text), Some(Pattern::Phone), "{text}");
    }
    for text in [
        "0712345678abcd",
        "0712345678ab",
        "sha 0712345678deadbeef",
        "Case no. 0712345678please",
        "0712/2018-2020",
        "012/345/6789",
        "A/0712/345678",
        "Case 0712/345678",
        "011 012 013 014",
        "1-100-555-0147",
        "1-2-3, 1.202.300",
        "8-10-2018",
        "8 916 123 454",
    ] {
        assert_eq!(found(text), None, "{text}");
    }
}

#[test]
fn a_label_of_contact_details_lets_no_number_through() {
    for text in [
        "contact no. 0712345678",
        "Contact number: 0712345678",
        "Contact No: 0712345678",
        "contact no. 712345678",
        "Contact (office) no. 712345678",
        "my no. 0712345678",
        "her number is 0712345678",
        "Amina’s number 0712345678",
        "call no. 0712345678",
        "No. 0712345678",
        "She moved. No. 0712345678",
        "numéro de contact : 712345678",
        "número de contacto: 712345678",
        "контактный номер: 712345678",
        "номер контакта 712345678",
        "phone (office): 712345678",
        "Phone: (office) 712345678",
        "Tel. (work hours) 712345678",
        "Mob: 712345678",
        "Ph. 712 345 678",
        "T: 712345678",
        "Contact: 712345678",
        "我的号码13812345678",
        "Amina Yusuf | T: 712 345 678",
        "handphone 712345678",
        "联系方式：13812345678",
        "联系号码 13812345678",
        "मोबाइल नंबर 9876543210",
        "رقم الاتصال: 712345678",
    ] {
        assert_eq!(found(text), Some(Pattern::Phone), "{text}");
    }
}

#[test]
fn amounts_counts_and_documents_are_no_phones() {
    for text in [
        "mobile 1500000 clinics",
        "mobile 1500000 people reached",
        "SMS: 2345678 messages sent",
        "Phone: 1534267 households",
        "fax, mail: 1234567 letters",
        "Portable : 1534267 personnes",
        "Parcel no. 0712345678",
        "Reg. No. 0712345678",
        "SIREN 0712345678",
        "pH: 7.4",
        "Contact: 2500000 refugees reached",
        "T: 7.5 million, T: 2018-2020",
        "hotline calls 1234567",
        "Mobile: 250 300 subscribers",
        "mobile 1534200 people reached",
        "phone 3450000 households",
        "a mobile team of 1234567 people",
        "+250000000 trees",
        "+12 500 000 and +1234567 people",
        "Case no. 0123456789",
        "No. 0123456789",
        "Tender 113-010-2020",
        "Tender no. 213-310-2020",
        "Award 00126787 00120739",
        "ISBN 0123456789 and ID 0712345678",
        "Закон № 0123456789",
        "合同号0123456789",
        "Tel Aviv 2018-2020",
        "Phone line open 2018-2020, 01.09.2019 - 30.10.2019",
        "(25) 1500-2000 people",
        "the hotel 1234567",
        "IATI GB-COH-01234567",
        "١٬٢٥٠٬٠٠٠ شخص و٢٠١٨-٢٠٢٠",
        "passports: 1500000 issued",
        "护照2016年改革",
        "паспорт 2016 года",
    ] {
        assert_eq!(found(text), None, "{text}");
    }
}
