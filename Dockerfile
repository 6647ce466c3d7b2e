# One image for every process of the house; compose.yaml says which runs what.
FROM python:3.13-slim

RUN pip install --no-cache-dir --root-user-action=ignore uv \
    && useradd --system --home-dir /app portal
WORKDIR /app
COPY requirements-run.txt .
RUN uv pip install --system --no-cache --require-hashes -r requirements-run.txt
COPY . .

ENV PYTHONUNBUFFERED=1 DATA_DIR=/data STATIC_ROOT=/app/staticfiles
# Collecting static files opens no secret and no connection: any value will do.
RUN SECRET_KEY=build FIELD_ENCRYPTION_KEYS=b3BlbnMgbm90aGluZzsgdGhlIGJ1aWxkIGhhcyBpdC4= DATABASE_URL=postgres://build REDIS_URL=redis://build \
    python manage.py collectstatic --no-input --verbosity 0 \
    && install -d -o portal /data

USER portal
EXPOSE 8000
CMD ["sh", "-c", "exec granian --interface wsgi --no-ws --host 0.0.0.0 --port 8000 --workers ${WEB_WORKERS:-2} --blocking-threads 4 --respawn-failed-workers portal.wsgi:application"]
