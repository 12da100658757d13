/* The calendar: days since 1970 and back, in the Gregorian calendar, without leap seconds. */
#include "gate_priv.h"

#include <stdio.h>
#include <string.h>

enum { DAY = 86400, YEAR_LEAST = 1970, YEAR_MOST = 9999 };

static bool is_leap(int year)
{
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static int days_in(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    return days[month - 1] + (month == 2 && is_leap(year));
}

/* Days from 1970-01-01 to the first day of a year. */
static int64_t days_before(int year)
{
    int64_t y = year - 1;
    return 365 * (y - 1969) + (y / 4 - 492) - (y / 100 - 19) + (y / 400 - 4);
}

typedef struct date {
    int year, month, day, second; /* of the day */
} date;

static int64_t seconds_of(const date *d)
{
    int64_t days = days_before(d->year);
    for (int month = 1; month < d->month; month++)
        days += days_in(d->year, month);
    return (days + d->day - 1) * DAY + d->second;
}

static date date_of(int64_t at)
{
    int64_t days = at / DAY;
    int second = (int)(at % DAY);
    if (second < 0) {
        second += DAY;
        days--;
    }
    date d = {.year = (int)(days / 366) + YEAR_LEAST, .second = second};
    while (days_before(d.year + 1) <= days)
        d.year++;
    while (days_before(d.year) > days)
        d.year--;
    days -= days_before(d.year);
    for (d.month = 1; days >= days_in(d.year, d.month); d.month++)
        days -= days_in(d.year, d.month);
    d.day = (int)days + 1;
    return d;
}

/* `length` digits at `text`; -1 where one is none. */
static int digits(const char *text, int length)
{
    int value = 0;
    for (int i = 0; i < length; i++) {
        if (text[i] < '0' || text[i] > '9')
            return -1;
        value = 10 * value + (text[i] - '0');
    }
    return value;
}

bool ob_time_parse(int64_t *out, const char *text)
{
    if (strlen(text) != OB_TIME_TEXT || text[4] != '-' || text[7] != '-' || text[10] != 'T' ||
        text[13] != ':' || text[16] != ':' || text[19] != 'Z')
        return false;
    int hour = digits(text + 11, 2), minute = digits(text + 14, 2), second = digits(text + 17, 2);
    date d = {.year = digits(text, 4), .month = digits(text + 5, 2), .day = digits(text + 8, 2)};
    if (d.year < YEAR_LEAST || d.year > YEAR_MOST || d.month < 1 || d.month > 12 || d.day < 1 ||
        d.day > days_in(d.year, d.month) || hour < 0 || hour > 23 || minute < 0 || minute > 59 ||
        second < 0 || second > 59)
        return false;
    d.second = hour * 3600 + minute * 60 + second;
    *out = seconds_of(&d);
    return true;
}

void ob_time_print(char out[OB_TIME_TEXT + 1], int64_t at)
{
    date d = date_of(at);
    char text[64];
    snprintf(text, sizeof text, "%04d-%02d-%02dT%02d:%02d:%02dZ", d.year, d.month, d.day,
             d.second / 3600, d.second / 60 % 60, d.second % 60);
    memcpy(out, text, OB_TIME_TEXT);
    out[OB_TIME_TEXT] = '\0';
}

int64_t ob_time_add_months(int64_t at, unsigned months)
{
    date d = date_of(at);
    int number = d.month - 1 + (int)(months % 120000);
    d.year += number / 12;
    d.month = number % 12 + 1;
    int most = days_in(d.year, d.month);
    d.day = d.day > most ? most : d.day;
    return seconds_of(&d);
}

int ob_time_year(int64_t at)
{
    return date_of(at).year;
}
