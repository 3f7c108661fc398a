FROM python:3.13-slim AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR /srv/xunhe
COPY requirements.txt .
RUN python -m venv .venv && .venv/bin/pip install --require-hashes -r requirements.txt

FROM python:3.13-slim
# Case files hold the letters of this font, so that every reader shows them.
RUN apt-get update && apt-get install -y --no-install-recommends fonts-wqy-microhei && rm -rf /var/lib/apt/lists/*
RUN useradd --create-home --uid 10001 xunhe && install -d -o xunhe /srv/xunhe /data /uploads
WORKDIR /srv/xunhe
COPY --from=build /srv/xunhe/.venv .venv
COPY app.py gunicorn.conf.py ./
COPY patrol patrol
COPY migrations migrations
ENV PATH=/srv/xunhe/.venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 MALLOC_ARENA_MAX=2 \
    XUNHE_DATA=/data XUNHE_UPLOADS=/uploads XUNHE_BIND=0.0.0.0:8000
USER xunhe
VOLUME ["/data", "/uploads"]
EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=5s --start-period=20s \
    CMD ["python", "-c", "import urllib.request; import os; urllib.request.urlopen('http://127.0.0.1:' + os.environ['XUNHE_BIND'].rsplit(':', 1)[1] + '/healthz', timeout=4)"]
CMD ["gunicorn", "--config", "gunicorn.conf.py", "app:app"]
