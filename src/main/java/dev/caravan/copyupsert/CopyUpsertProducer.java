package dev.caravan.copyupsert;

import dev.caravan.failure.CaravanException;
import dev.caravan.failure.FailureCode;
import dev.caravan.pgload.Fence;
import dev.caravan.pgload.LoadProgress;
import dev.caravan.pgload.LoadResult;
import dev.caravan.pgload.Loader;
import dev.caravan.record.RecordStream;
import dev.caravan.record.Unpacked;
import dev.caravan.record.csv.CsvReader;
import dev.caravan.record.csv.EmptyFiles;
import dev.caravan.record.json.JsonRecords;
import dev.caravan.record.json.MapRecordStream;
import java.io.IOException;
import java.io.InputStream;
import java.util.Iterator;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.Callable;
import javax.sql.DataSource;
import org.apache.camel.Exchange;
import org.apache.camel.Message;
import org.apache.camel.support.DefaultProducer;
import org.apache.camel.util.StringHelper;

/** One message is one load is one transaction. */
final class CopyUpsertProducer extends DefaultProducer {

  private final CopyUpsertEndpoint endpoint;

  CopyUpsertProducer(CopyUpsertEndpoint endpoint) {
    super(endpoint);
    this.endpoint = endpoint;
  }

  @Override
  public void process(Exchange exchange) throws Exception {
    Message message = exchange.getMessage();
    CopyUpsertLoad load =
        message.getHeader(
            CopyUpsertConstants.LOAD, endpoint.configuredLoad(), CopyUpsertLoad.class);
    if (load == null) {
      throw new CaravanException(
          FailureCode.CONFIG_INVALID,
          "%s names no table, and the message has no header %s."
              .formatted(endpoint.getEndpointUri(), CopyUpsertConstants.LOAD));
    }
    message.setHeader(CopyUpsertConstants.TABLE, load.spec().target().toString());
    LoadJournal journal = exchange.getProperty(LoadJournal.PROPERTY, LoadJournal.class);
    LoadJournal.Entry entry =
        journal == null
            ? new UnkeptEntry(message.getHeader(CopyUpsertConstants.LOAD_ID, UUID.class))
            : journal.begin(message, load.spec().target());
    LoadResult result =
        entry.before().isPresent() ? entry.before().get() : run(load, message, entry);
    entry.loaded(result);
    message.removeHeader(CopyUpsertConstants.LOAD_ID); // of this load, not of the next one
    message.removeHeader(CopyUpsertConstants.LABEL);
    message.setHeader(CopyUpsertConstants.RESULT, result);
    message.setHeader(CopyUpsertConstants.SAME_AS, result.sameAs());
    message.setHeader(CopyUpsertConstants.ELAPSED, result.elapsed());
    message.setHeader(CopyUpsertConstants.WARNINGS, result.warnings());
    message.setHeader(CopyUpsertConstants.OUTCOME, result.outcome().name());
    result
        .counts()
        .forEach(
            (name, count) ->
                message.setHeader(
                    CopyUpsertConstants.COUNT_PREFIX + StringHelper.capitalize(name), count));
    message.setBody(result);
  }

  /** Of an exchange without a journal. */
  private record UnkeptEntry(UUID id, LoadProgress progress) implements LoadJournal.Entry {

    UnkeptEntry(UUID given) {
      this(given == null ? UUID.randomUUID() : given, new LoadProgress());
    }

    @Override
    public Optional<Fence> fence() {
      return Optional.empty();
    }

    @Override
    public Optional<LoadResult> before() {
      return Optional.empty();
    }

    @Override
    public void loaded(LoadResult result) {
      // the headers of the message have it
    }

    @Override
    public void failed(Exception cause) {
      // the exchange has it
    }
  }

  private LoadResult run(CopyUpsertLoad load, Message message, LoadJournal.Entry entry)
      throws Exception {
    try {
      return load(load, message, entry);
    } catch (Exception e) {
      entry.failed(e);
      throw e;
    }
  }

  private LoadResult load(CopyUpsertLoad load, Message message, LoadJournal.Entry entry)
      throws Exception {
    MessageOrigin origin = new MessageOrigin(load, message, entry);
    boolean skip = load.format().emptyFiles() == EmptyFiles.SKIP;
    try (RecordStream records = open(load, message, origin)) {
      if (skip && records instanceof CsvReader csv && !csv.hasRecords()) {
        return skipped(load, origin);
      }
      return Loader.load(dataSource(message), load.spec(), origin, records);
    } catch (CaravanException e) {
      if (skip && e.code() == FailureCode.EMPTY_FILE) {
        return skipped(load, origin);
      }
      throw e;
    }
  }

  /** Only an object is one: a text that came with a message names none. */
  private DataSource dataSource(Message message) {
    return message.getHeader(CopyUpsertConstants.DATA_SOURCE) instanceof DataSource given
        ? given
        : endpoint.getDataSource();
  }

  private static LoadResult skipped(CopyUpsertLoad load, MessageOrigin origin) {
    return LoadResult.skipped(
        origin.loadId(),
        load.spec().target(),
        origin.bytes(),
        "EMPTY_FILE: the file has no records and was skipped");
  }

  private static RecordStream open(CopyUpsertLoad load, Message message, MessageOrigin origin)
      throws Exception {
    Iterator<Map<String, ?>> records = MapRecordStream.iterator(message.getBody());
    if (records != null) {
      return MapRecordStream.open(records);
    }
    InputStream body = bytes(message);
    if (body == null) {
      throw new CaravanException(
          FailureCode.EMPTY_FILE,
          "%s has no body that could be loaded: expected is a CSV stream or an iterator of maps."
              .formatted(origin.file()));
    }
    try {
      InputStream content = origin.reading(Unpacked.open(body, origin.file()));
      return load.jsonRecords().isPresent()
          ? MapRecordStream.open(JsonRecords.read(content, load.jsonRecords().get()), content)
          : CsvReader.open(content, load.format());
    } catch (IOException | RuntimeException e) {
      body.close();
      throw e;
    }
  }

  /** A callable body is opened anew by each attempt; any other body can be read once. */
  private static InputStream bytes(Message message) throws Exception {
    return message.getBody() instanceof Callable<?> source
        ? (InputStream) source.call()
        : message.getBody(InputStream.class);
  }
}
