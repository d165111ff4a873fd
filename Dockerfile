# docker build -t zorb . && docker run --rm -v "$PWD:/data" zorb fit table.csv --save table.model
FROM python:3.12-slim

COPY . /source
RUN pip install --no-cache-dir "/source[demo,parquet]" && rm -rf /source \
    && useradd --create-home zorb
USER zorb
WORKDIR /data
ENTRYPOINT ["zorb"]
CMD ["--help"]
