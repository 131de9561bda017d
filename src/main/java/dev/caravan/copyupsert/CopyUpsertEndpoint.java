package dev.caravan.copyupsert;

import dev.caravan.failure.CaravanException;
import dev.caravan.failure.FailureCode;
import dev.caravan.pgload.LoadMode;
import dev.caravan.pgload.LoadRange;
import dev.caravan.pgload.LoadSpec;
import dev.caravan.pgload.OnDrift;
import dev.caravan.pgload.OnError;
import dev.caravan.pgload.OnMissing;
import dev.caravan.pgload.TableName;
import dev.caravan.pgload.ValueFormats;
import dev.caravan.record.csv.CsvFormat;
import dev.caravan.record.csv.EmptyFiles;
import dev.caravan.record.csv.Plausibility;
import java.nio.charset.Charset;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalLong;
import javax.sql.DataSource;
import org.apache.camel.Category;
import org.apache.camel.Consumer;
import org.apache.camel.Processor;
import org.apache.camel.Producer;
import org.apache.camel.spi.Metadata;
import org.apache.camel.spi.UriEndpoint;
import org.apache.camel.spi.UriParam;
import org.apache.camel.spi.UriPath;
import org.apache.camel.support.DefaultEndpoint;

/**
 * Load a CSV stream or an iterator of records into a PostgreSQL table with COPY and one merge, in
 * one transaction.
 */
@UriEndpoint(
    firstVersion = "0.1.0",
    scheme = "copy-upsert",
    title = "COPY Upsert",
    syntax = "copy-upsert:table",
    producerOnly = true,
    category = {Category.DATABASE},
    headersClass = CopyUpsertConstants.class)
public class CopyUpsertEndpoint extends DefaultEndpoint {

  @UriPath(
      description =
          "Target as schema.table, or table in schema public. Empty when the header CamelCopyUpsertLoad"
              + " names it.")
  private String table = "";

  @UriParam(description = "The PostgreSQL to load into; the only one in the registry by default.")
  @Metadata(autowired = true)
  private DataSource dataSource;

  @UriParam(description = "Target columns that identify a row, with commas between them.")
  private String keyColumns = "";

  @UriParam(
      description = "Source column to target column, as source:target with commas between them.")
  private String columnMapping = "";

  @UriParam(defaultValue = "UPSERT", description = "What happens to rows that are there already.")
  private LoadMode mode = LoadMode.UPSERT;

  @UriParam(defaultValue = ",", description = "Character between the fields, or the word tab.")
  private String delimiter = ",";

  @UriParam(defaultValue = "UTF-8", description = "Encoding of the CSV.")
  private String encoding = "UTF-8";

  @UriParam(defaultValue = "0", description = "Lines before the header.")
  private long skipRows;

  @UriParam(
      description =
          "First field of the last record, whose second field is the number of data records.")
  private String trailer;

  @UriParam(
      description =
          "For a JSON body: JSON pointer of the array of records, / for the document itself or for"
              + " one object after the other. CSV by default.")
  private String jsonRecords;

  @UriParam(description = "Unquoted words that mean NULL, with commas between them.")
  private String nullWords = "";

  @UriParam(
      defaultValue = "WARN",
      description =
          "What happens when a CSV can be read but hardly be meant so: bytes of another encoding, the"
              + " header again in the middle.")
  private Plausibility plausibility = Plausibility.WARN;

  @UriParam(
      defaultValue = "FAIL",
      description =
          "What happens with a source without records: FAIL fails without a header and loads no rows"
              + " with one, SKIP passes it over with a warning.")
  private EmptyFiles emptyFiles = EmptyFiles.FAIL;

  @UriParam(defaultValue = "REJECT", description = "What a bad row does to the load.")
  private OnError onError = OnError.REJECT;

  @UriParam(description = "More refused records fail the load; no limit by default.")
  private Long maxErrors;

  @UriParam(description = "A larger share of refused records, 0 to 1, fails the load.")
  private Double maxErrorRatio;

  @UriParam(
      description = "Column whose part of the table mode REPLACE_RANGE replaces; no other mode.")
  private String rangeColumn;

  @UriParam(description = "First value of the range; by default the values in the source count.")
  private String rangeFrom;

  @UriParam(description = "First value behind the range.")
  private String rangeTo;

  @UriParam(
      defaultValue = "KEEP",
      description = "What becomes of rows that the source, a full export, no longer has.")
  private OnMissing onMissing = OnMissing.KEEP;

  @UriParam(
      defaultValue = "FREEZE",
      description = "What a load does whose columns are not those of the last one.")
  private OnDrift onDrift = OnDrift.FREEZE;

  @UriParam(
      defaultValue = "false",
      description = "Whether an empty source may replace the content of the table.")
  private boolean allowEmpty;

  @UriParam(description = "Pattern of dates, such as dd.MM.yyyy; ISO 8601 by default.")
  private String dateFormat;

  @UriParam(
      description =
          "Pattern of timestamps without a zone, such as dd.MM.yyyy HH:mm:ss; ISO 8601 by default.")
  private String timestampFormat;

  @UriParam(defaultValue = ".", description = "Character between a number and its fraction.")
  private char decimalSeparator = '.';

  @UriParam(description = "Character between groups of three digits; none by default.")
  private Character thousandsSeparator;

  @UriParam(description = "Texts that are true, with commas between them; true and t by default.")
  private String trueWords = "";

  @UriParam(description = "Texts that are false, with commas between them; false and f by default.")
  private String falseWords = "";

  @UriParam(
      defaultValue = "false",
      description =
          "Whether a table that the load creates gets types by its values; text by default.")
  private boolean inferTypes;

  @UriParam(
      defaultValue = "true",
      description =
          "Whether the sequences of serial and identity columns that are loaded are set behind the"
              + " largest value.")
  private boolean setSequences = true;

  @UriParam(description = "Loads of one pipeline load the same content once; the table by default.")
  private String pipeline;

  @UriParam(
      defaultValue = "false",
      description = "Whether content is loaded again that was loaded before.")
  private boolean force;

  private CopyUpsertLoad load;

  /** For the component. */
  public CopyUpsertEndpoint(String uri, CopyUpsertComponent component) {
    super(uri, component);
  }

  @Override
  public Producer createProducer() {
    return new CopyUpsertProducer(this);
  }

  @Override
  public Consumer createConsumer(Processor processor) {
    throw new UnsupportedOperationException("copy-upsert: is only a target; use it in a 'to'.");
  }

  @Override
  protected void doInit() throws Exception {
    super.doInit();
    if (dataSource == null) {
      dataSource = getCamelContext().getRegistry().findSingleByType(DataSource.class);
    }
    if (dataSource == null) {
      throw new CaravanException(
          FailureCode.CONFIG_INVALID,
          getEndpointUri() + ": no data source; name one with dataSource=#bean:name.");
    }
    if (!table.isEmpty()) {
      load = load();
    }
  }

  /** The load that the options describe; null when only a header can tell it. */
  public CopyUpsertLoad configuredLoad() {
    return load;
  }

  private CopyUpsertLoad load() {
    TableName target = TableName.parse(table);
    LoadSpec spec =
        new LoadSpec(
            target,
            list(keyColumns),
            mapping(),
            mode,
            range(),
            onMissing,
            onError,
            maxErrors == null ? OptionalLong.empty() : OptionalLong.of(maxErrors),
            maxErrorRatio == null ? OptionalDouble.empty() : OptionalDouble.of(maxErrorRatio),
            onDrift,
            allowEmpty,
            formats(),
            inferTypes,
            Map.of(),
            setSequences);
    CsvFormat format =
        CsvFormat.DEFAULT
            .withDelimiter(delimiterChar())
            .withCharset(charset())
            .withSkipLines(skipRows)
            .withTrailer(Optional.ofNullable(trailer))
            .withNullWords(list(nullWords))
            .withPlausibility(plausibility)
            .withEmptyFiles(emptyFiles);
    return new CopyUpsertLoad(
        pipeline == null ? target.toString() : pipeline,
        spec,
        format,
        Optional.ofNullable(jsonRecords),
        force);
  }

  private ValueFormats formats() {
    return new ValueFormats(
        Optional.ofNullable(dateFormat),
        Optional.ofNullable(timestampFormat),
        decimalSeparator,
        Optional.ofNullable(thousandsSeparator),
        trueWords.isEmpty() ? ValueFormats.ISO.trueWords() : list(trueWords),
        falseWords.isEmpty() ? ValueFormats.ISO.falseWords() : list(falseWords));
  }

  private Optional<LoadRange> range() {
    return Optional.ofNullable(rangeColumn)
        .map(
            column ->
                new LoadRange(
                    column, Optional.ofNullable(rangeFrom), Optional.ofNullable(rangeTo)));
  }

  private char delimiterChar() {
    if (delimiter.equals("tab")) {
      return '\t';
    }
    if (delimiter.length() != 1) {
      throw invalid("delimiter", delimiter, "one character, or the word tab");
    }
    return delimiter.charAt(0);
  }

  private Charset charset() {
    try {
      return Charset.forName(encoding);
    } catch (IllegalArgumentException e) {
      throw invalid("encoding", encoding, "a charset that Java knows, such as UTF-8");
    }
  }

  private Map<String, String> mapping() {
    Map<String, String> mapping = new LinkedHashMap<>();
    for (String pair : list(columnMapping)) {
      int colon = pair.indexOf(':');
      if (colon < 1 || colon == pair.length() - 1) {
        throw invalid("columnMapping", pair, "source:target");
      }
      mapping.put(pair.substring(0, colon), pair.substring(colon + 1));
    }
    return mapping;
  }

  private static List<String> list(String text) {
    return Arrays.stream(text.split(",")).map(String::strip).filter(s -> !s.isEmpty()).toList();
  }

  private CaravanException invalid(String option, String found, String allowed) {
    return new CaravanException(
        FailureCode.CONFIG_INVALID,
        "copy-upsert:%s: %s: found '%s'; allowed is %s.".formatted(table, option, found, allowed));
  }

  public String getTable() {
    return table;
  }

  public void setTable(String table) {
    this.table = table;
  }

  public DataSource getDataSource() {
    return dataSource;
  }

  public void setDataSource(DataSource dataSource) {
    this.dataSource = dataSource;
  }

  public String getKeyColumns() {
    return keyColumns;
  }

  public void setKeyColumns(String keyColumns) {
    this.keyColumns = keyColumns;
  }

  public String getColumnMapping() {
    return columnMapping;
  }

  public void setColumnMapping(String columnMapping) {
    this.columnMapping = columnMapping;
  }

  public LoadMode getMode() {
    return mode;
  }

  public void setMode(LoadMode mode) {
    this.mode = mode;
  }

  public String getDelimiter() {
    return delimiter;
  }

  public void setDelimiter(String delimiter) {
    this.delimiter = delimiter;
  }

  public String getEncoding() {
    return encoding;
  }

  public void setEncoding(String encoding) {
    this.encoding = encoding;
  }

  public long getSkipRows() {
    return skipRows;
  }

  public void setSkipRows(long skipRows) {
    this.skipRows = skipRows;
  }

  public String getTrailer() {
    return trailer;
  }

  public void setTrailer(String trailer) {
    this.trailer = trailer;
  }

  public String getJsonRecords() {
    return jsonRecords;
  }

  public void setJsonRecords(String jsonRecords) {
    this.jsonRecords = jsonRecords;
  }

  public String getNullWords() {
    return nullWords;
  }

  public void setNullWords(String nullWords) {
    this.nullWords = nullWords;
  }

  public Plausibility getPlausibility() {
    return plausibility;
  }

  public void setPlausibility(Plausibility plausibility) {
    this.plausibility = plausibility;
  }

  public EmptyFiles getEmptyFiles() {
    return emptyFiles;
  }

  public void setEmptyFiles(EmptyFiles emptyFiles) {
    this.emptyFiles = emptyFiles;
  }

  public OnError getOnError() {
    return onError;
  }

  public void setOnError(OnError onError) {
    this.onError = onError;
  }

  public Long getMaxErrors() {
    return maxErrors;
  }

  public void setMaxErrors(Long maxErrors) {
    this.maxErrors = maxErrors;
  }

  public Double getMaxErrorRatio() {
    return maxErrorRatio;
  }

  public void setMaxErrorRatio(Double maxErrorRatio) {
    this.maxErrorRatio = maxErrorRatio;
  }

  public String getRangeColumn() {
    return rangeColumn;
  }

  public void setRangeColumn(String rangeColumn) {
    this.rangeColumn = rangeColumn;
  }

  public String getRangeFrom() {
    return rangeFrom;
  }

  public void setRangeFrom(String rangeFrom) {
    this.rangeFrom = rangeFrom;
  }

  public String getRangeTo() {
    return rangeTo;
  }

  public void setRangeTo(String rangeTo) {
    this.rangeTo = rangeTo;
  }

  public OnMissing getOnMissing() {
    return onMissing;
  }

  public void setOnMissing(OnMissing onMissing) {
    this.onMissing = onMissing;
  }

  public OnDrift getOnDrift() {
    return onDrift;
  }

  public void setOnDrift(OnDrift onDrift) {
    this.onDrift = onDrift;
  }

  public boolean isAllowEmpty() {
    return allowEmpty;
  }

  public void setAllowEmpty(boolean allowEmpty) {
    this.allowEmpty = allowEmpty;
  }

  public String getDateFormat() {
    return dateFormat;
  }

  public void setDateFormat(String dateFormat) {
    this.dateFormat = dateFormat;
  }

  public String getTimestampFormat() {
    return timestampFormat;
  }

  public void setTimestampFormat(String timestampFormat) {
    this.timestampFormat = timestampFormat;
  }

  public char getDecimalSeparator() {
    return decimalSeparator;
  }

  public void setDecimalSeparator(char decimalSeparator) {
    this.decimalSeparator = decimalSeparator;
  }

  public Character getThousandsSeparator() {
    return thousandsSeparator;
  }

  public void setThousandsSeparator(Character thousandsSeparator) {
    this.thousandsSeparator = thousandsSeparator;
  }

  public String getTrueWords() {
    return trueWords;
  }

  public void setTrueWords(String trueWords) {
    this.trueWords = trueWords;
  }

  public String getFalseWords() {
    return falseWords;
  }

  public void setFalseWords(String falseWords) {
    this.falseWords = falseWords;
  }

  public boolean isInferTypes() {
    return inferTypes;
  }

  public void setInferTypes(boolean inferTypes) {
    this.inferTypes = inferTypes;
  }

  public boolean isSetSequences() {
    return setSequences;
  }

  public void setSetSequences(boolean setSequences) {
    this.setSequences = setSequences;
  }

  public String getPipeline() {
    return pipeline;
  }

  public void setPipeline(String pipeline) {
    this.pipeline = pipeline;
  }

  public boolean isForce() {
    return force;
  }

  public void setForce(boolean force) {
    this.force = force;
  }
}
