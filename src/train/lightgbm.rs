//! The door to LightGBM: rows in, a model's text out; the one file with unsafe code, which checks every length before
//! and every return code after a call.

mod spec;

pub use spec::{Boosting, Fit, Objective, Settings};

use native::{Booster, Dataset};

/// Why there is no model.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum LightGbmError {
    /// The matrix is not rows times columns, is empty, or is larger than LightGBM can count.
    #[error("{rows} labels and {columns} names do not fit {values} feature values (none may be 0 or above 2147483647)")]
    Shape {
        /// How many labels.
        rows: usize,
        /// How many names.
        columns: usize,
        /// How many feature values.
        values: usize,
    },
    /// A setting outside of LightGBM's bounds.
    #[error("setting `{key}` is {found}, which is not {expected}")]
    Setting {
        /// Which.
        key: &'static str,
        /// Its value.
        found: f64,
        /// What it may be.
        expected: String,
    },
    /// A feature name that LightGBM's text cannot hold, or a second of that name.
    #[error("feature name `{name}` is empty, not unique or has a space or one of `\",:[]{{}}`")]
    Name {
        /// The name.
        name: String,
    },
    /// A nominal column that does not exist, or not in rising order.
    #[error("nominal column {column} does not exist or does not rise above the one before")]
    Categorical {
        /// The column, from 0.
        column: usize,
    },
    /// A label that is not 0 or 1 (binary) or not finite (regression).
    #[error("the label of row {row} is not 0 or 1 (binary) or not finite (regression)")]
    Label {
        /// The row, from 0.
        row: usize,
    },
    /// A feature value that is not finite, or, in a nominal column, not a category index.
    #[error("row {row}, column {column}: not finite, or not a category index in a nominal column")]
    Feature {
        /// The row, from 0.
        row: usize,
        /// The column, from 0.
        column: usize,
    },
    /// LightGBM refused.
    #[error("LightGBM could not {step}: {message}")]
    Native {
        /// What it was asked to do.
        step: &'static str,
        /// What it said.
        message: String,
    },
    /// LightGBM wrote something that is not text.
    #[error("LightGBM wrote a model that is not UTF-8 text")]
    NotText,
}

/// Fit a model: the text of LightGBM's own format, the same bytes for the same inputs.
///
/// # Errors
/// When the inputs do not fit together (found before LightGBM is called), or LightGBM refuses them.
pub fn fit(spec: &Fit) -> Result<String, LightGbmError> {
    fit_watched(spec, |_| {})
}

/// As [`fit`], calling `on_round` with the number of finished rounds after each one.
///
/// # Errors
/// As [`fit`].
pub fn fit_watched(spec: &Fit, mut on_round: impl FnMut(u32)) -> Result<String, LightGbmError> {
    spec.check()?;
    let dataset = Dataset::new(spec)?;
    let mut booster = Booster::new(&dataset, &spec.parameters())?;
    for round in 1..=spec.settings.rounds {
        if booster.update()? == Progress::Finished {
            break;
        }
        on_round(round);
    }
    booster.text()
}

/// Whether another round can add anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Progress {
    MoreToLearn,
    Finished,
}

/// Safe handles to LightGBM's objects: freed once, and a booster never outlives its dataset.
#[expect(unsafe_code, reason = "LightGBM is C++; this module alone calls it")]
mod native {
    use std::ffi::{CStr, CString, c_char, c_int, c_void};
    use std::marker::PhantomData;
    use std::ptr;

    use lightgbm3_sys as sys;

    use super::{Fit, LightGbmError, Progress};

    const FLOAT32: c_int = sys::C_API_DTYPE_FLOAT32 as c_int;
    const FLOAT64: c_int = sys::C_API_DTYPE_FLOAT64 as c_int;
    const SPLIT_COUNTS: c_int = sys::C_API_FEATURE_IMPORTANCE_SPLIT as c_int;
    const ROW_MAJOR: c_int = 1;
    const ALL_ROUNDS: c_int = -1;

    /// Binned rows with their labels.
    pub(super) struct Dataset(sys::DatasetHandle);

    /// A model that learns from a dataset.
    pub(super) struct Booster<'dataset> {
        handle: sys::BoosterHandle,
        dataset: PhantomData<&'dataset Dataset>,
    }

    impl Dataset {
        /// The rows of a checked specification.
        pub(super) fn new(spec: &Fit) -> Result<Self, LightGbmError> {
            // Once more, right before the pointers are handed over: nothing below is sound without it.
            let (rows, columns) = spec.check_shape()?;
            let parameters = c_string(&spec.parameters())?;
            let mut handle = ptr::null_mut();
            // SAFETY: `features` holds rows * columns doubles (`check_shape`) and is only read during the call, the
            // parameters end in NUL, no reference dataset is given, and `handle` is a place to write to.
            let code = unsafe {
                sys::LGBM_DatasetCreateFromMat(
                    spec.features.as_ptr().cast::<c_void>(),
                    FLOAT64,
                    rows,
                    columns,
                    ROW_MAJOR,
                    parameters.as_ptr(),
                    ptr::null_mut(),
                    &mut handle,
                )
            };
            done(code, "bin the rows")?;
            let dataset = Self(handle);
            dataset.label(spec.labels, rows)?;
            dataset.name(spec.names, columns)?;
            Ok(dataset)
        }

        fn label(&self, labels: &[f32], rows: c_int) -> Result<(), LightGbmError> {
            // SAFETY: the handle is live, the field's name ends in NUL, `labels` holds `rows` floats (`check_shape`
            // counted them), and LightGBM copies them.
            let code = unsafe {
                sys::LGBM_DatasetSetField(self.0, c"label".as_ptr(), labels.as_ptr().cast::<c_void>(), rows, FLOAT32)
            };
            done(code, "take the labels")
        }

        fn name(&self, names: &[String], columns: c_int) -> Result<(), LightGbmError> {
            let names = names.iter().map(|name| c_string(name)).collect::<Result<Vec<_>, _>>()?;
            let mut pointers: Vec<*const c_char> = names.iter().map(|name| name.as_ptr()).collect();
            // SAFETY: the handle is live, `pointers` holds `columns` pointers to texts that end in NUL and outlive the
            // call, and LightGBM copies them.
            let code = unsafe { sys::LGBM_DatasetSetFeatureNames(self.0, pointers.as_mut_ptr(), columns) };
            done(code, "take the feature names")
        }
    }

    impl Drop for Dataset {
        fn drop(&mut self) {
            // SAFETY: the handle came from a successful creation and is freed only here.
            unsafe { sys::LGBM_DatasetFree(self.0) };
        }
    }

    impl<'dataset> Booster<'dataset> {
        /// A model without trees.
        pub(super) fn new(dataset: &'dataset Dataset, parameters: &str) -> Result<Self, LightGbmError> {
            let parameters = c_string(parameters)?;
            let mut handle = ptr::null_mut();
            // SAFETY: the dataset is live and the lifetime keeps it so while the booster lives, the parameters end in
            // NUL, and `handle` is a place to write to.
            let code = unsafe { sys::LGBM_BoosterCreate(dataset.0, parameters.as_ptr(), &mut handle) };
            done(code, "start a model")?;
            Ok(Self { handle, dataset: PhantomData })
        }

        /// Grow the next tree.
        pub(super) fn update(&mut self) -> Result<Progress, LightGbmError> {
            let mut finished = 0;
            // SAFETY: the handle is live and exclusively borrowed, and `finished` is a place to write to.
            let code = unsafe { sys::LGBM_BoosterUpdateOneIter(self.handle, &mut finished) };
            done(code, "grow a tree")?;
            Ok(match finished {
                0 => Progress::MoreToLearn,
                _ => Progress::Finished,
            })
        }

        /// The model in LightGBM's text format.
        pub(super) fn text(&self) -> Result<String, LightGbmError> {
            // The first call only asks for the length, which counts the final NUL.
            let mut buffer = vec![0; self.write(&mut [])?];
            self.write(&mut buffer)?;
            let text = CStr::from_bytes_until_nul(&buffer).map_err(|_| LightGbmError::NotText)?;
            text.to_str().map(str::to_owned).map_err(|_| LightGbmError::NotText)
        }

        /// Write the text where it fits, and return its length either way.
        fn write(&self, buffer: &mut [u8]) -> Result<usize, LightGbmError> {
            let mut length = 0;
            // SAFETY: the handle is live, LightGBM writes only if the text fits into `buffer.len()` bytes, and `length`
            // is a place to write to.
            let code = unsafe {
                sys::LGBM_BoosterSaveModelToString(
                    self.handle,
                    0,
                    ALL_ROUNDS,
                    SPLIT_COUNTS,
                    buffer.len() as i64,
                    &mut length,
                    buffer.as_mut_ptr().cast::<c_char>(),
                )
            };
            done(code, "write the model")?;
            usize::try_from(length).map_err(|_| LightGbmError::NotText)
        }
    }

    impl Drop for Booster<'_> {
        fn drop(&mut self) {
            // SAFETY: the handle came from a successful creation and is freed only here.
            unsafe { sys::LGBM_BoosterFree(self.handle) };
        }
    }

    fn c_string(text: &str) -> Result<CString, LightGbmError> {
        CString::new(text).map_err(|_| LightGbmError::Name { name: text.to_owned() })
    }

    fn done(code: c_int, step: &'static str) -> Result<(), LightGbmError> {
        if code == 0 {
            return Ok(());
        }
        // SAFETY: LightGBM keeps each thread's last message in a static buffer that ends in NUL; it is copied before
        // any other call.
        let message = unsafe { CStr::from_ptr(sys::LGBM_GetLastError()) };
        Err(LightGbmError::Native { step, message: message.to_string_lossy().into_owned() })
    }

    #[cfg(test)]
    impl Booster<'static> {
        /// A model read by LightGBM itself.
        pub(super) fn read(text: &str) -> Result<Self, LightGbmError> {
            let text = c_string(text)?;
            let (mut handle, mut rounds) = (ptr::null_mut(), 0);
            // SAFETY: the text ends in NUL and both others are places to write to.
            let code = unsafe { sys::LGBM_BoosterLoadModelFromString(text.as_ptr(), &mut rounds, &mut handle) };
            done(code, "read a model")?;
            Ok(Self { handle, dataset: PhantomData })
        }

        /// One prediction a row, converted by the objective or raw.
        pub(super) fn predict(&self, rows: &[f64], columns: usize, kind: u32) -> Result<Vec<f64>, LightGbmError> {
            let count = rows.len() / columns;
            assert_eq!(rows.len(), count * columns);
            let mut predictions = vec![f64::NAN; count];
            let mut written = 0;
            // SAFETY: the handle is live, `rows` holds count * columns doubles, and a model with one output writes
            // `count` doubles.
            let code = unsafe {
                sys::LGBM_BoosterPredictForMat(
                    self.handle,
                    rows.as_ptr().cast::<c_void>(),
                    FLOAT64,
                    count as c_int,
                    columns as c_int,
                    ROW_MAJOR,
                    kind as c_int,
                    0,
                    ALL_ROUNDS,
                    c"verbosity=-1".as_ptr(),
                    &mut written,
                    predictions.as_mut_ptr(),
                )
            };
            done(code, "predict")?;
            assert_eq!(written, count as i64);
            Ok(predictions)
        }
    }
}

/// LightGBM's own predictions from a model's text, `(raw, converted)`, one of each a row; the measure of ours.
#[cfg(test)]
fn predict_native(text: &str, rows: &[f64], columns: usize) -> Result<(Vec<f64>, Vec<f64>), LightGbmError> {
    let booster = Booster::read(text)?;
    let raw = booster.predict(rows, columns, lightgbm3_sys::C_API_PREDICT_RAW_SCORE)?;
    let converted = booster.predict(rows, columns, lightgbm3_sys::C_API_PREDICT_NORMAL)?;
    Ok((raw, converted))
}

#[cfg(test)]
mod tests;
