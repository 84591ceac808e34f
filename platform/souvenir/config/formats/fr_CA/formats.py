"""Canadian French. Django's own prints 13:40 as “13 01 40”: its h is not escaped."""

DATE_FORMAT = "j F Y"
DATETIME_FORMAT = "j F Y, H\xa0\\h\xa0i"
SHORT_DATE_FORMAT = "Y-m-d"
SHORT_DATETIME_FORMAT = "Y-m-d H\xa0\\h\xa0i"
TIME_FORMAT = "H\xa0\\h\xa0i"
