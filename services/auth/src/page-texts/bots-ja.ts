import type { BotTexts } from './bots-en.ts';

export const bots: BotTexts = {
  botSignInTitle: '{bot} にサインインしますか？',
  botSignInMeans: '{bot} が、このページを開いたチャット（{channel}）であなたの代わりに操作することを求めています。',
  botSignInAt: '{api} でできること：',
  botSignInOnly:
    'ご自身のチャットで今これを求めた場合にだけ続けてください。誰かからこのリンクが送られてきた場合は、ページを閉じてください。',
  botSignInAs: '{person} としてサインインしています。',
  botSignInAllow: 'サインインする',
  botSignInRefuse: 'サインインしない',
  botCodeTitle: 'このコードをチャットに入力してください',
  botCodeMeans: '5 分間、1 回だけ有効です。',
  botCodeKeep: '誰にも教えないでください。コードを知る人は、自分のチャットであなたとして操作できます。',
  botDoneTitle: '{bot} にサインインしました',
  botDoneMeans: 'チャットに戻ってください。このページは閉じてかまいません。',
  botRefusedTitle: '{bot} にサインインしていません',
  botRefusedMeans: 'チャットはサインインせずに続きます。このページは閉じてかまいません。',
  botOtherTitle: 'このチャットは別の人のものです',
  botOtherMeans:
    'あなたの組織の別の人が {bot} とのチャットに使っています。ご自身のチャットを開き、そこからサインインしてください。',
};
