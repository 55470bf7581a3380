"""Titles, places and seats in the scripts of the world, each with the country where it could stand on a ticket."""

from typing import NamedTuple


class Sample(NamedTuple):
    """`text`: what people wrote; `country`: of the venue; `language`: what the PDF says to its reader."""

    text: str
    country: str
    language: str


READ_FROM_LEFT = {
    "armenian": Sample("Հայկական երաժշտության երեկո", "AM", "hy"),
    "bengali": Sample("বাংলা গানের সন্ধ্যা ক্ষমতা", "BD", "bn"),
    "bulgarian": Sample("Вечер на българската музика", "BG", "bg"),
    "chinese, simplified": Sample("中国音乐之夜：骨直曜 2031", "CN", "zh-CN"),
    "chinese, traditional": Sample("中國音樂之夜：骨直曜", "TW", "zh-TW"),
    "chinese, of Hong Kong": Sample("香港音樂節 2031", "HK", "zh-HK"),
    "cyrillic": Sample("Большой летний концерт: Ёлки и иголки", "RU", "ru"),
    "devanagari": Sample("हिन्दी संगीत समारोह क्षत्रिय ज्ञान", "IN", "hi"),
    "emoji": Sample("Party 🎉 ⭐ ☂ ♫ 👨‍👩‍👧", "DE", "en"),
    "ethiopic": Sample("የኢትዮጵያ ሙዚቃ", "ET", "am"),
    "georgian": Sample("ქართული მუსიკის საღამო", "GE", "ka"),
    "greek": Sample("Βραδιά ελληνικής μουσικής: ἀρχή", "GR", "el"),
    "gujarati": Sample("ગુજરાતી ગરબા રાત્રી", "IN", "gu"),
    "gurmukhi": Sample("ਪੰਜਾਬੀ ਸੰਗੀਤ ਸ਼ਾਮ", "IN", "pa"),
    "japanese": Sample("日本の音楽祭 2031 第一夜", "JP", "ja"),
    "japanese, chinese characters alone": Sample("大阪市特別演奏会", "JP", "ja"),
    "kannada": Sample("ಕನ್ನಡ ಸಂಗೀತ ಕಛೇರಿ", "IN", "kn"),
    "khmer": Sample("ពិធីបុណ្យតន្ត្រីខ្មែរ", "KH", "km"),
    "korean": Sample("한국 음악의 밤 2031", "KR", "ko"),
    "lao": Sample("ງານດົນຕີລາວ ນ້ຳ", "LA", "lo"),
    "latin, with marks of their own": Sample("Lódź: ṩ ọ̈ été", "PL", "en"),
    "malayalam": Sample("മലയാളം സംഗീത നിശ", "IN", "ml"),
    "mathematics and signs": Sample("∀x∈ℝ ½ ² ♔ ☎ ♿ ⠃⠗", "DE", "en"),
    "myanmar": Sample("မြန်မာ့ဂီတပွဲတော်", "MM", "my"),
    "nepali": Sample("नेपाली सङ्गीत", "NP", "ne"),
    "odia": Sample("ଓଡ଼ିଆ ସଙ୍ଗୀତ", "IN", "or"),
    "sinhala": Sample("සිංහල සංගීතය ශ්‍රී", "LK", "si"),
    "tamil": Sample("தமிழ் இசை விழா ஸ்ரீ", "IN", "ta"),
    "telugu": Sample("తెలుగు సంగీత కచేరీ క్ష", "IN", "te"),
    "thai": Sample("เทศกาลดนตรีไทย น้ำใจ", "TH", "th"),
    "tifinagh": Sample("ⵜⵉⴼⵉⵏⴰⵖ", "MA", "en"),
    "turkish": Sample("İstanbul ışık ğüşiöç", "TR", "en"),
    "ukrainian": Sample("Вечір української музики: ґанок і їжак", "UA", "uk"),
    "vietnamese": Sample("Đêm nhạc Việt Nam truyền thống", "VN", "en"),
}
READ_FROM_RIGHT = {
    "arabic": Sample("ليلة الموسيقى العربية: السبت ٢١", "JO", "ar"),
    "arabic, a street": Sample("شارع المثال ٥", "JO", "ar"),
    "arabic, with joiners": Sample("علی‌رضا", "IR", "fa"),
    "arabic, of Pakistan": Sample("سنڌي موسيقي", "PK", "ur"),
    "arabic, of Xinjiang": Sample("ئۇيغۇر مۇزىكىسى", "CN", "ar"),
    "hebrew": Sample("ערב של מוזיקה: שבת 21", "IL", "he"),
    "kurdish": Sample("شەوی مۆسیقای کوردی", "IQ", "ar"),
    "persian": Sample("شب موسیقی ایرانی: گروه پژواک ۱۴۰۵", "IR", "fa"),
    "urdu": Sample("اردو شاعری کی محفل ٹھنڈی ہوا ڑ ڈ ے", "PK", "ur"),
}
SCRIPTS = READ_FROM_LEFT | READ_FROM_RIGHT
