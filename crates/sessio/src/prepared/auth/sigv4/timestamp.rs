//! Times in the basic format of ISO 8601, in UTC.

use std::fmt;

use crate::base::time::UnixTime;

/// A time such as `20130524T000000Z`. Times outside of the years 0 to 9999 become the nearest one.
#[derive(Clone, Copy, Debug)]
pub(super) struct Timestamp {
    year: i64,
    month: i64,
    day: i64,
    seconds: i64,
}

impl Timestamp {
    pub(super) fn new(time: UnixTime) -> Self {
        let time = time.0.clamp(-62_167_219_200, 253_402_300_799);
        let (days, seconds) = (time.div_euclid(86_400), time.rem_euclid(86_400));
        // Years begin in March here, and eras have 400 years. So a leap day is the last of its year.
        let days = days + 719_468;
        let (era, day_of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
        let year = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year + year / 4 - year / 100);
        let month = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * month + 2) / 5 + 1;
        let month = if month < 10 { month + 3 } else { month - 9 };
        Self { year: year + era * 400 + i64::from(month <= 2), month, day, seconds }
    }

    /// The day, such as `20130524`.
    pub(super) fn day(self) -> String {
        format!("{:04}{:02}{:02}", self.year, self.month, self.day)
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (hours, minutes, seconds) = (self.seconds / 3600, self.seconds / 60 % 60, self.seconds % 60);
        write!(f, "{}T{hours:02}{minutes:02}{seconds:02}Z", self.day())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_those_of_the_calendar() {
        for (seconds, text) in [
            (0, "19700101T000000Z"),
            (1_369_353_600, "20130524T000000Z"),
            (951_782_399, "20000228T235959Z"),
            (951_782_400, "20000229T000000Z"),
            (951_868_800, "20000301T000000Z"),
            (4_107_542_399, "21000228T235959Z"),
            (4_107_542_400, "21000301T000000Z"),
            (-1, "19691231T235959Z"),
            (i64::MAX, "99991231T235959Z"),
            (i64::MIN, "00000101T000000Z"),
        ] {
            assert_eq!(Timestamp::new(UnixTime(seconds)).to_string(), text);
        }
    }
}
