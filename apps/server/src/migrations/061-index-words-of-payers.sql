-- What payers said with payments that were made long ago is looked for every minute, to be forgotten.
create index address_invoice_words on address_invoice (paid_at)
  where phase = 'paid' and (comment is not null or payer_data is not null or zap_request is not null);
