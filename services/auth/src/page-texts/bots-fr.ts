import type { BotTexts } from './bots-en.ts';

export const bots: BotTexts = {
  botSignInTitle: 'Se connecter auprès de {bot} ?',
  botSignInMeans: '{bot} demande à agir pour vous dans la conversation qui vous a mené ici ({channel}).',
  botSignInAt: 'Auprès de {api}, il peut :',
  botSignInOnly:
    'Continuez seulement si vous venez de le demander vous-même, dans votre propre conversation. Si quelqu’un vous a envoyé ce lien, fermez la page.',
  botSignInAs: 'Vous êtes connecté en tant que {person}.',
  botSignInAllow: 'Se connecter',
  botSignInRefuse: 'Ne pas se connecter',
  botCodeTitle: 'Saisissez ce code dans la conversation',
  botCodeMeans: 'Il est valable cinq minutes, une seule fois.',
  botCodeKeep: 'Ne le donnez à personne : celui qui l’a agit en votre nom dans sa conversation.',
  botDoneTitle: 'Vous êtes connecté auprès de {bot}',
  botDoneMeans: 'Revenez à la conversation. Vous pouvez fermer cette page.',
  botRefusedTitle: 'Vous n’êtes pas connecté auprès de {bot}',
  botRefusedMeans: 'La conversation continue sans cela. Vous pouvez fermer cette page.',
  botOtherTitle: 'Cette conversation est celle de quelqu’un d’autre',
  botOtherMeans:
    'Une autre personne de votre organisation l’utilise avec {bot}. Ouvrez votre propre conversation et connectez-vous à partir de là.',
};
