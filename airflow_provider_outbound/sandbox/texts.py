"""The words and texts of the invented messages, by language.

The API writes a placeholder as ``${{1}}`` in a text and as ``{{1}}`` in a URL.
"""

from __future__ import annotations

from typing import NamedTuple

# Codes as WhatsApp writes them. Those of one language share its texts.
LANGUAGES = (
    *("en", "en_US", "en_GB", "es", "es_MX", "pt_BR", "pt_PT", "de", "de_AT"),
    *("fr", "fr_CA", "it", "nl", "he", "ar", "hi", "ja", "zh_CN"),
)


class Words(NamedTuple):
    """What a message in a language may need besides its own text."""

    footer: str
    opt_out: str
    accept: str
    decline: str
    link: str
    update: str


WORDS = {
    "en": Words("Do not reply here", "Reply STOP to opt out", "Yes", "No", "Details", "News for you."),
    "es": Words("No responda aquí", "Responda STOP para la baja", "Sí", "No", "Detalles", "Novedades."),
    "pt": Words("Não responda aqui", "Responda STOP para sair", "Sim", "Não", "Detalhes", "Novidades."),
    "de": Words("Bitte nicht antworten", "Mit STOP abbestellen", "Ja", "Nein", "Mehr", "Neuigkeiten."),
    "fr": Words("Ne pas répondre ici", "STOP pour arrêter", "Oui", "Non", "Détails", "Du nouveau."),
    "he": Words("נא לא להשיב", "להסרה השיבו STOP", "כן", "לא", "פרטים", "יש לנו עדכון עבורך."),
    "ja": Words("返信はできません", "配信停止は STOP", "はい", "いいえ", "詳細", "お知らせです。"),
    "it": Words("Non rispondere qui", "Rispondi STOP per annullare", "Sì", "No", "Dettagli", "Novità."),
    "nl": Words("Niet beantwoorden", "Antwoord STOP om af te melden", "Ja", "Nee", "Details", "Nieuws voor u."),
    "ar": Words("يرجى عدم الرد هنا", "أرسل STOP لإلغاء الاشتراك", "نعم", "لا", "التفاصيل", "لدينا جديد لك."),
    "hi": Words("यहाँ उत्तर न दें", "बंद करने के लिए STOP भेजें", "हाँ", "नहीं", "विवरण", "आपके लिए सूचना।"),
    "zh": Words("请勿回复此消息", "回复 STOP 退订", "是", "否", "详情", "您有新消息。"),
}

KINDS = ("appointment_reminder", "boarding_open", "order_shipped", "payment_due", "results_ready", "trip")

TEXTS = {  # language -> title and body of each kind but the last
    "en": (
        ("See you soon, ${{1}} 🩺", "Hi ${{1}}, ${{2}} expects you on ${{3}} at ${{4}}. Coming?"),
        ("Time to board", "Flight ${{1}} to ${{2}} boards at gate ${{3}} from ${{4}}. Enjoy! ✈️"),
        ("On its way 📦", "Good news, ${{1}}: order ${{2}} has left us and arrives on ${{3}}."),
        ("A payment is due", "Dear ${{1}}, ${{2}} for your card ending in ${{3}} is due on ${{4}}."),
        ("Results are in", "The results of your visit are in the patient portal. No need to call."),
    ),
    "es": (
        ("Hasta pronto, ${{1}} 🩺", "Hola, ${{1}}: ${{2}} le espera el ${{3}} a las ${{4}}. ¿Viene?"),
        ("Hora de embarcar", "El vuelo ${{1}} a ${{2}} embarca por la puerta ${{3}} a las ${{4}}. ✈️"),
        ("En camino 📦", "Buenas noticias, ${{1}}: el pedido ${{2}} ya salió y llega el ${{3}}."),
        ("Pago pendiente", "${{1}}, el pago de ${{2}} de su tarjeta ${{3}} vence el ${{4}}."),
        ("Ya hay resultados", "Sus resultados están en el portal del paciente. No hace falta llamar."),
    ),
    "pt": (
        ("Até breve, ${{1}} 🩺", "Olá, ${{1}}! ${{2}} espera você em ${{3}}, às ${{4}}. Você vem?"),
        ("Hora de embarcar", "O voo ${{1}} para ${{2}} embarca no portão ${{3}} às ${{4}}. ✈️"),
        ("A caminho 📦", "Boas notícias, ${{1}}: o pedido ${{2}} já saiu e chega em ${{3}}."),
        ("Pagamento a vencer", "${{1}}, o pagamento de ${{2}} do cartão ${{3}} vence em ${{4}}."),
        ("Resultados prontos", "Seus resultados estão no portal do paciente. Não é preciso ligar."),
    ),
    "de": (
        ("Bis bald, ${{1}} 🩺", "Guten Tag ${{1}}, ${{2}} erwartet Sie am ${{3}} um ${{4}}. Passt das?"),
        ("Bitte einsteigen", "Flug ${{1}} nach ${{2}}: Einstieg an Gate ${{3}} ab ${{4}}. Gute Reise! ✈️"),
        ("Unterwegs 📦", "Gute Nachricht, ${{1}}: Bestellung ${{2}} ist unterwegs und kommt am ${{3}}."),
        ("Zahlung fällig", "Guten Tag ${{1}}, ${{2}} für Ihre Karte ${{3}} sind am ${{4}} fällig."),
        ("Befund verfügbar", "Ihr Befund liegt im Patientenportal. Ein Anruf ist nicht nötig."),
    ),
    "fr": (
        ("À bientôt, ${{1}} 🩺", "Bonjour ${{1}}, ${{2}} vous attend le ${{3}} à ${{4}}. Vous venez ?"),
        ("Embarquement", "Vol ${{1}} pour ${{2}} : embarquement porte ${{3}} dès ${{4}}. Bon voyage ! ✈️"),
        ("En route 📦", "Bonne nouvelle, ${{1}} : la commande ${{2}} est partie et arrive le ${{3}}."),
        ("Échéance proche", "${{1}}, le paiement de ${{2}} pour la carte ${{3}} est attendu le ${{4}}."),
        ("Résultats prêts", "Vos résultats sont sur le portail patient. Inutile d'appeler."),
    ),
    "he": (
        ("נתראה בקרוב, ${{1}} 🩺", "שלום ${{1}}, נקבע לך תור אצל ${{2}} ביום ${{3}} בשעה ${{4}}."),
        ("העלייה למטוס החלה", "טיסה ${{1}} אל ${{2}} עולה בשער ${{3}} משעה ${{4}}. נסיעה טובה! ✈️"),
        ("בדרך אליך 📦", "חדשות טובות, ${{1}}: הזמנה ${{2}} יצאה לדרך ותגיע ביום ${{3}}."),
        ("מועד תשלום קרב", "שלום ${{1}}, תשלום של ${{2}} בכרטיס ${{3}} ייגבה ביום ${{4}}."),
        ("התוצאות מוכנות", "תוצאות הביקור שלך מחכות באזור האישי. אין צורך להתקשר."),
    ),
    "ja": (
        ("${{1}}様、ご予約の確認 🩺", "${{1}}様、${{3}} ${{4}} に ${{2}} の診察がございます。"),
        ("搭乗開始", "${{2}} 行き ${{1}} 便は ${{4}} より ${{3}} 番ゲートでご搭乗いただけます。✈️"),
        ("発送しました 📦", "${{1}}様、ご注文 ${{2}} を発送しました。${{3}} に届く予定です。"),
        ("お支払いのご案内", "${{1}}様、カード ${{3}} のお支払い ${{2}} の期日は ${{4}} です。"),
        ("検査結果のお知らせ", "検査結果は患者様ページでご覧いただけます。お電話は不要です。"),
    ),
    "it": (
        ("A presto, ${{1}} 🩺", "Ciao ${{1}}, ${{2}} ti aspetta il ${{3}} alle ${{4}}. Ci sarai?"),
        ("Si imbarca", "Il volo ${{1}} per ${{2}} si imbarca all'uscita ${{3}} dalle ${{4}}. ✈️"),
        ("In viaggio 📦", "Buone notizie, ${{1}}: l'ordine ${{2}} è partito e arriva il ${{3}}."),
        ("Pagamento in scadenza", "${{1}}, il pagamento di ${{2}} della carta ${{3}} scade il ${{4}}."),
        ("Referti pronti", "I tuoi referti sono nel portale del paziente. Non serve chiamare."),
    ),
    "nl": (
        ("Tot gauw, ${{1}} 🩺", "Hallo ${{1}}, ${{2}} verwacht u op ${{3}} om ${{4}}. Komt u?"),
        ("Tijd om in te stappen", "Vlucht ${{1}} naar ${{2}}: instappen bij gate ${{3}} vanaf ${{4}}. ✈️"),
        ("Onderweg 📦", "Goed nieuws, ${{1}}: bestelling ${{2}} is verzonden en komt op ${{3}}."),
        ("Betaling verwacht", "${{1}}, ${{2}} voor uw kaart ${{3}} moet op ${{4}} betaald zijn."),
        ("Uitslag bekend", "De uitslag staat in het patiëntenportaal. Bellen is niet nodig."),
    ),
    "ar": (
        ("نراك قريبًا يا ${{1}} 🩺", "مرحبًا ${{1}}، موعدك مع ${{2}} يوم ${{3}} الساعة ${{4}}. هل ستحضر؟"),
        ("حان وقت الصعود", "الرحلة ${{1}} إلى ${{2}}: الصعود من البوابة ${{3}} ابتداءً من ${{4}}. ✈️"),
        ("في الطريق إليك 📦", "خبر سار يا ${{1}}: شُحن طلبك ${{2}} وسيصل يوم ${{3}}."),
        ("موعد السداد", "عزيزي ${{1}}، يستحق مبلغ ${{2}} على بطاقتك ${{3}} يوم ${{4}}."),
        ("النتائج جاهزة", "نتائج زيارتك متاحة في بوابة المرضى. لا حاجة إلى الاتصال."),
    ),
    "hi": (
        ("जल्द मिलते हैं, ${{1}} 🩺", "नमस्ते ${{1}}, ${{2}} के साथ आपका अपॉइंटमेंट ${{3}} को ${{4}} बजे है।"),
        ("बोर्डिंग शुरू", "${{2}} की उड़ान ${{1}}: गेट ${{3}} पर ${{4}} बजे से बोर्डिंग। ✈️"),
        ("रास्ते में 📦", "खुशखबरी, ${{1}}: ऑर्डर ${{2}} भेज दिया गया है और ${{3}} को पहुँचेगा।"),
        ("भुगतान देय है", "प्रिय ${{1}}, कार्ड ${{3}} के ${{2}} का भुगतान ${{4}} तक करना है।"),
        ("रिपोर्ट तैयार", "आपकी रिपोर्ट रोगी पोर्टल पर उपलब्ध है। फ़ोन करने की ज़रूरत नहीं।"),
    ),
    "zh": (
        ("${{1}}，期待与您见面 🩺", "${{1}} 您好，您与 ${{2}} 的预约时间为 ${{3}} ${{4}}。"),
        ("开始登机", "飞往 ${{2}} 的 ${{1}} 航班将于 ${{4}} 在 ${{3}} 登机口登机。✈️"),
        ("已发货 📦", "${{1}} 您好，订单 ${{2}} 已发货，预计 ${{3}} 送达。"),
        ("还款提醒", "${{1}} 您好，尾号 ${{3}} 的卡片应于 ${{4}} 前还款 ${{2}}。"),
        ("结果已出", "您的检查结果已上传至患者门户，无需来电查询。"),
    ),
}

# Needs no translation, and has a variable 10, which must not be read as variable 1 and a zero.
TRIP = ("✈️", "🛫 ${{1}} ${{2}} ${{3}}\n🛬 ${{4}} ${{5}} ${{6}}\n💺 ${{7}} 🧳 ${{8}} 🚪 ${{9}} 🎫 ${{10}}")

# Bodies that trip up readers of placeholders: kind of message, language and body.
# Source: templates in the tests of chatwoot and pywa (both MIT); the last one is ours.
ODD_TEXTS = (
    # A variable at the very start, and a line break at the end.
    (
        "order_delivered",
        "en",
        "${{1}}, your order was successfully delivered on ${{2}}.\n\nThank you for your purchase.\n",
    ),
    # A variable in bold.
    ("otp", "en_US", "*${{1}}* is your verification code. For your security, do not share this code."),
    # Named variables, one glued to a word.
    ("training_video", "en", "Hi ${{name}}, here's your training video. Please watch by${{date}}."),
    ("discount", "en", "Get Rs ${{1}} off on all orders above ${{2}}Rs!"),
    ("flight_confirmation", "en_GB", "This is your flight confirmation for ${{1}}-${{2}} on ${{3}}."),
    # Variable 2 without a variable 1.
    ("order_on_its_way", "en_US", "Your order #${{2}} is on its way"),
    (
        "invitation",
        "en",
        "You're invited to ${{event_name}} at ${{location}}, Join us for an amazing experience!",
    ),
    # A price, and no variable.
    ("free_shipping", "en_US", "Free shipping on orders over $100. Limited time offer."),
    ("special_offer", "en", "🎉 Special offer for you! Get ${{discount_percentage}}% off your next purchase."),
    (
        "customer_reply",
        "ar",
        "عميلنا العزيز الرجاء الرد على هذه الرسالة بكلمة *نعم* للرد على إستفساركم من قبل خدمة العملاء.",
    ),
    # Cut off at both ends.
    ("parcel_on_its_way", "es", "ó tu paquete. La entrega se realizará en ${{1}} dí."),
    # Variables out of order.
    ("seat_assigned", "en", "Seat ${{2}} on flight ${{1}} is yours"),
)

# URLs of WhatsApp buttons, which take one variable at most; the last was escaped as JSON twice.
URLS = (
    "https://example.com/go/{{1}}",
    "https://example.com/otp/code/?otp_type=COPY_CODE&code=otp{{1}}",
    "https://example.com/help",
    "https:\\/\\/example.com\\/?wa_customer={{1}}",
)
