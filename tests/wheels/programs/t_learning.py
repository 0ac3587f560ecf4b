"""scikit-learn, statsmodels, scikit-image, OpenCV, pywavelets, bottleneck: models fitted, images filtered, Python functions called back."""
import warnings

import bottleneck as bn
import cv2
import numpy as np
import pywt
import skimage.filters
import skimage.measure
import skimage.morphology
import skimage.transform
import sklearn
import statsmodels.api as sm
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.cluster import KMeans
from sklearn.datasets import load_iris, make_regression
from sklearn.ensemble import GradientBoostingClassifier, RandomForestClassifier
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier, export_text

warnings.simplefilter("ignore")


class Squares(BaseEstimator, TransformerMixin):
    def fit(self, x, y=None):
        return self

    def transform(self, x):
        return np.hstack([x, x**2])


def learn():
    x, y = load_iris(return_X_y=True)
    print(export_text(DecisionTreeClassifier(max_depth=2, random_state=0).fit(x, y)))
    for model in [LogisticRegression(max_iter=500), SVC(), KNeighborsClassifier(), RandomForestClassifier(20, random_state=1), GradientBoostingClassifier(n_estimators=10, random_state=1)]:
        print(type(model).__name__, np.round(cross_val_score(make_pipeline(Squares(), StandardScaler(), model), x, y, cv=3), 4).tolist())
    search = GridSearchCV(SVC(kernel=lambda a, b: a @ b.T), {"C": [0.1, 1]}, cv=3).fit(x, y)
    print(search.best_params_, round(search.best_score_, 4))
    print(KMeans(3, n_init=2, random_state=0).fit(x).inertia_ > 70)
    a, b = make_regression(50, 3, noise=1.0, random_state=2)
    print(Ridge().fit(a, b).coef_.round(4).tolist())
    v = TfidfVectorizer(tokenizer=str.split, token_pattern=None)
    print(v.fit_transform(["a b c", "b c d", "d e"]).toarray().round(3).tolist(), v.get_feature_names_out().tolist())
    try:
        SVC().predict(x)
    except sklearn.exceptions.NotFittedError as e:
        print(e)
    print(Ridge(alpha=3), Ridge(alpha=3).get_params())


def model():
    r = np.random.default_rng(0)
    x = sm.add_constant(r.normal(size=(60, 2)))
    y = x @ [1, 2, 3] + r.normal(size=60)
    fit = sm.OLS(y, x).fit()
    print(fit.params.round(5).tolist(), round(fit.rsquared, 6))
    print("\n".join(l for l in str(fit.summary()).splitlines() if not l.startswith(("Date", "Time"))))
    print(sm.tsa.ARIMA(np.cumsum(r.normal(size=50)), order=(1, 1, 0)).fit().params.round(2).tolist())
    print(sm.GLM((y > 1).astype(float), x, family=sm.families.Binomial()).fit().params.round(4).tolist())


def images():
    a = np.zeros((40, 40))
    a[8:20, 10:30] = 1
    a[28:34, 5:12] = 0.5
    print(skimage.filters.gaussian(a, 2).sum().round(4), skimage.filters.threshold_otsu(a).round(4))
    labels = skimage.measure.label(a > 0)
    print([(r.label, int(r.area), r.bbox, tuple(round(float(c), 3) for c in r.centroid)) for r in skimage.measure.regionprops(labels)])
    print(skimage.transform.warp(a, lambda p: p + 1).sum(), skimage.transform.rotate(a, 30).sum().round(3), skimage.morphology.skeletonize(a > 0).sum())
    u = (a * 255).astype(np.uint8)
    print(cv2.GaussianBlur(u, (5, 5), 0).sum(), cv2.Canny(u, 50, 150).sum(), cv2.resize(u, None, fx=0.5, fy=0.5).shape)
    contours, _ = cv2.findContours(u, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    print(sorted(cv2.boundingRect(c) for c in contours), cv2.imencode(".png", u)[1].size > 50)
    image = np.zeros((20, 20, 3), np.uint8)
    cv2.circle(image, (10, 10), 5, (10, 20, 30), -1)
    print(image.sum(), cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)[10, 10])
    try:
        cv2.cvtColor(u, 999)
    except cv2.error as e:
        print(type(e).__name__, e.code)
    try:
        cv2.resize("x", 3)
    except cv2.error as e:
        print(str(e).splitlines()[2].strip())
    kp, d = cv2.ORB_create(10).detectAndCompute(cv2.resize(u, (120, 120)), None)
    print(len(kp) > 0, type(kp[0]).__name__)


def arrays():
    x = np.arange(16.0) ** 2
    print([c.round(3).tolist() for c in pywt.dwt(x, "db2")], np.allclose(pywt.waverec(pywt.wavedec(x, "haar"), "haar"), x), pywt.Wavelet("sym3"))
    y = np.where(x % 3 == 0, np.nan, x)
    print(bn.nansum(y), bn.nanmedian(y), bn.move_mean(x, 3, min_count=1).round(3).tolist(), bn.rankdata(y).tolist())


learn()
model()
images()
arrays()
